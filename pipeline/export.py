"""`make export`: what a journal, a calculator and an archive ask for, from the results, into dist/.

    dist/figures/     by number in the paper: PDF, SVG, PNG, TIFF (line art), sidecar; captions.md
    dist/tables/      CSV, LaTeX, Markdown; tables.xlsx
    dist/factors/     the factor table as CSV and JSON, its README, schema and change log
    dist/latex/       figures and tables, ready to compile
    dist/word/        the same as a page that word processors open
    dist/.zenodo.json, CITATION.cff, LICENSE*   who made it, and under which terms
    dist/manifest.json   path, bytes and SHA-256 of every file above
    dist/perquery-<version>.zip   the release: the project, notebooks as run, review site, all of the above,
                      with the data package and RO-Crate that describe it: their paths hold there alone

Every figure is checked against the journal profile in params.yaml. Nothing is computed here: run
`make reproduce` first.
"""

import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from pipeline.assumptions import load
from pipeline.errors import InputError, run
from pipeline.files import write_json, write_text
from pipeline.present.citation import Citation, read_citation
from pipeline.present.release import bundle
from pipeline.present.release.archive import manifest, write_zip
from pipeline.present.release.crate import crate
from pipeline.present.release.datapackage import data_package
from pipeline.present.release.figures import numbered, save
from pipeline.present.release.tables import copy_tables, workbook

DIST = Path("dist")
FIGURES, TABLES, SECTIONS = Path("figures"), Path("paper/tables"), Path("paper/sections")
FACTORS, NOTEBOOKS, SITE = Path("data/results/factors"), Path("build/notebooks"), Path("site")
RECORDS = ("CITATION.cff", ".zenodo.json", "LICENSE", "LICENSE-data")
MANIFEST = "manifest.json"
AT_ONCE = 2  # figures drawn side by side


def write_figures(target: Path) -> list[dict[str, Any]]:
    """Check and write every figure and the captions; returns the sidecars, in the order of the paper."""
    profile = load("figures")
    found = numbered(SECTIONS, FIGURES)
    with ProcessPoolExecutor(AT_ONCE) as pool:
        sidecars = list(pool.map(partial(save, folder=FIGURES, target=target, profile=profile), found))
    write_text(bundle.captions(sidecars), target / "captions.md")
    return sidecars


def write_tables(target: Path) -> dict[str, pd.DataFrame]:
    """Copy every table of the paper and put all into one workbook; returns them by name."""
    tables = {path.stem: pd.read_csv(path) for path in copy_tables(TABLES, target)}
    workbook(tables, target / "tables.xlsx")
    return tables


def write_records(target: Path) -> None:
    """Factors, and records for archives."""
    shutil.copytree(FACTORS, target / "factors", ignore=shutil.ignore_patterns(".gitignore"))
    for name in RECORDS:
        shutil.copyfile(name, target / name)


def write_release(files: dict[str, Path], citation: Citation, target: Path) -> None:
    """The archive: the given files by their names in it, and what describes them."""
    with TemporaryDirectory() as folder:
        package, about = Path(folder, "datapackage.json"), Path(folder, "ro-crate-metadata.json")
        write_json(data_package(citation, handed_on=files), package)
        files[package.name] = package
        sizes = [(name, files[name].stat().st_size) for name in sorted(files)]
        write_json(crate(citation, release_date(), sizes), about)
        files[about.name] = about
        write_zip({f"{target.stem}/{name}": path for name, path in files.items()}, target)


def project_files() -> dict[str, Path]:
    """Every file of the project that git keeps, the notebooks as they ran, and the review site."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    kept = [Path(name) for name in listed.split("\0") if name and Path(name).is_file()]
    executed = {f"build/notebooks/{path.name}": path for path in _made(NOTEBOOKS)}
    site = {f"site/{path.relative_to(SITE).as_posix()}": path for path in _made(SITE)}
    return {**{path.as_posix(): path for path in kept}, **executed, **site}


def _made(folder: Path) -> list[Path]:
    """Files of a folder that a stage writes and git does not keep."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".gitignore")
    if not found:
        raise InputError(f"{folder}/ is empty: run `make reproduce` first")
    return found


def release_date() -> str:
    """The day of the commit that is released, YYYY-MM-DD."""
    command = ["git", "log", "-1", "--format=%cs"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Write everything anew, then say where it is."""
    citation = read_citation()
    files = project_files()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    sidecars = write_figures(DIST / "figures")
    tables = write_tables(DIST / "tables")
    bundle.latex(sidecars, DIST / "figures", DIST / "tables", DIST / "latex")
    bundle.word(sidecars, tables, DIST / "word")
    write_records(DIST)
    write_json(manifest(DIST), DIST / MANIFEST)

    files |= {f"export/{item['path']}": DIST / item["path"] for item in manifest(DIST)}
    archive = DIST / f"perquery-{citation.version}.zip"
    write_release(files, citation, archive)
    print(f"== {len(sidecars)} figures, {len(tables)} tables; {archive} has {len(files)} files")


if __name__ == "__main__":
    run(main)
