"""Energy, water and idle energy per query from logs: `python -m pipeline.logs FOLDER_OR_FILE... -o OUT`.

Inputs: logs of requests and of power, each known by its content (`--formats` lists what is read); or two
addresses that only the engine can reach, requests first. What they do not say may stand in deployment.yaml.
Outputs in OUT: report.html, report.json, hours.csv, models.csv, account.csv, measured.csv (for
pipeline.predict). Settings: section `logs` of params.yaml; weights of input
tokens: data/results/token_weights.csv.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.core.errors import InputError, run
from pipeline.core.files import writable_folder, write_csv
from pipeline.core.processes import temporary_folder
from pipeline.core.settings import PARAMS, from_params
from pipeline.logs.beside import calibration
from pipeline.logs.deployment import NAME, Deployment, read_deployment
from pipeline.logs.engines import connect
from pipeline.logs.estimate import EnergyFromLogs, energy_from_logs
from pipeline.logs.formats import describe
from pipeline.logs.gather import gather
from pipeline.logs.report import as_json, page, report
from pipeline.logs.settings import Settings, read_weights

TABLES = ("hours", "models", "account", "measured")
RUNS = ("=", "+", "-", "@")
FLAGGED = 3
SMALL = 50_000_000  # bytes: up to it, energy is shared in windows of FINE_SECONDS
FINE_SECONDS = 10
HALF = {
    "requests": "power alone says what nodes took, not what a query took",
    "power": "requests alone say what was asked; python -m pipeline.predict estimates what it may have taken",
}


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.logs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", metavar="FOLDER_OR_FILE", help="logs of requests and of power")
    parser.add_argument("-o", "--out", type=Path, help="folder of the results")
    parser.add_argument("--formats", action="store_true", help="list the formats that are read, and end")
    parser.add_argument(
        "--deployment", type=Path, help="facts of the service (default: deployment.yaml beside the logs)"
    )
    parser.add_argument("--engine", help="duckdb, local[*], spark://host:port or sc://host:port")
    parser.add_argument("--accept", action="store_true", help="give the result in spite of doubts")
    parser.add_argument("--shift", type=float, help="seconds to add to the times of requests")
    parser.add_argument("--weights", type=Path, help="of input tokens, in place of the model of serving")
    parser.add_argument("--params", type=Path, default=PARAMS, help="settings (default: %(default)s)")
    given = parser.parse_args(words)
    if not given.formats and not (given.paths and given.out):
        parser.error("expected logs and -o OUT")
    return given


def facts_of(given: argparse.Namespace) -> Deployment:
    """The deployment.yaml that is named, or the one beside or among the logs, or none."""
    if given.deployment:
        return read_deployment(given.deployment)
    near = {(Path(path) if Path(path).is_dir() else Path(path).parent) / NAME for path in given.paths}
    found = sorted(path for path in near if path.is_file())
    if len(found) > 1:
        raise InputError(f"{found[1]}: a second {NAME} beside {found[0]}, expected one (or --deployment)")
    return read_deployment(found[0]) if found else Deployment()


def _inert(table: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would run as a formula, with an apostrophe before it."""
    text = table.select_dtypes(include=["object", "str"])
    changed = {
        str(name): text[name].map(
            lambda cell: f"'{cell}" if str(cell)[:1] in RUNS else cell, na_action="ignore"
        )
        for name in text
    }
    return table.assign(**changed)


def write_results(result: EnergyFromLogs, pages: dict[str, str], out: Path, there: Path, show: bool) -> None:
    """All files or none: each is written whole beside `out` before the first one is put in place.

    Without `show` no table of energy is left in `out`, not even of a run before.
    """
    tables = {"account": result.account}
    if show:
        tables |= {"hours": result.hours, "models": result.models}
        if len(measured := calibration(result)):
            tables["measured"] = measured
    umask = os.umask(0)
    os.umask(umask)
    try:
        with temporary_folder(there) as staged:
            for name, table in tables.items():
                write_csv(_inert(table), staged / f"{name}.csv")
            for name, text in pages.items():
                (staged / name).write_text(text, encoding="utf-8")
            out.mkdir(parents=True, exist_ok=True)
            for path in sorted(staged.iterdir()):
                path.chmod(0o666 & ~umask)
                path.replace(out / path.name)
            for name in set(TABLES) - set(tables):
                (out / f"{name}.csv").unlink(missing_ok=True)
    except (OSError, InputError) as error:
        reason = getattr(error.__cause__ or error, "strerror", None) or error
        raise InputError(f"{out}: the results cannot be written ({reason})") from error


def say(result: EnergyFromLogs, show: bool) -> None:
    """The account, what was seen and, unless there are doubts, the result by model."""
    print(result.account.to_string(index=False, na_rep=""), "\n")
    for note in result.notes:
        print(note)
    if show:
        print("\nAn input token counts as")
        for row in result.models.to_dict("records"):
            print(f"{row['weight_input']:g} output tokens, {row['weight_basis']}: {row['model']}")
    guessed = [row["what"] for row in result.complete if not row["evidence"]]
    for what in guessed:
        print(f"assumed complete: {what} (nothing in the logs tells)")
    for flag in result.flags:
        print(f"flagged: {flag.kind}: {flag.text}", file=sys.stderr)
    if result.flags and not show:
        print("no headline number is given; --accept gives it all the same", file=sys.stderr)


def main() -> None:
    """Know the files, read them, estimate, write; ends with 3 where doubts keep back the result."""
    given = arguments(sys.argv[1:])
    if given.formats:
        print(describe())
        return
    folder, logs, facts = writable_folder(given.out), from_params("logs", path=given.params), facts_of(given)
    with temporary_folder() as turned, connect(given.engine or logs.engine, logs.memory_limit_mb) as engine:
        gathered = gather(given.paths, facts, turned)
        for found in gathered.files:
            print(f"{found.path}: {found.log}, {found.name}")
        for note in gathered.notes:
            print(note)
        if gathered.requests is None or gathered.power is None:
            missing = "requests" if gathered.requests is None else "power"
            raise InputError(
                f"{given.paths[0]}: no log of {missing} among the files, expected one of each: "
                f"{HALF[missing]}"
            )
        settings = Settings.of(logs, read_weights(logs, given.weights) if given.weights else None, facts)
        if gathered.paths and all(path.stat().st_size <= SMALL for path in gathered.paths):
            settings = replace(settings, window_seconds=min(settings.window_seconds, FINE_SECONDS))
        if given.shift is not None:
            settings = replace(settings, shift_us=round(given.shift * 1e6), shift_stated=True)
        result = energy_from_logs(engine, gathered.requests, gathered.power, settings)
        result = replace(result, flags=gathered.flags + result.flags)
    show = given.accept or not result.flags
    known = [{"path": one.path.name, "log": one.log, "format": one.name} for one in gathered.files]
    content = report(result, known, gathered.notes, show)
    pages = {"report.html": page(content, result.timeline), "report.json": as_json(content)}
    write_results(result, pages, given.out, folder, show)
    say(result, show)
    if not show:
        raise SystemExit(FLAGGED)


if __name__ == "__main__":
    run(main)
