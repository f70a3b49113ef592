"""`make export`: what a journal, a calculator and an archive ask for, from the results, into dist/.

    dist/figures/     by number in the paper: PDF, SVG, PNG, TIFF (line art), sidecar; captions.md
    dist/tables/      CSV, LaTeX, Markdown; tables.xlsx: contents, intervals as numbers, units, filters
    dist/factors/     the factor table as CSV and JSON, its README, schema and change log
    dist/latex/       figures and tables, ready to compile
    dist/word/        the same as a page that word processors open
    dist/.zenodo.json, codemeta.json, CITATION.cff, LICENSE*   who made it, and under which terms
    dist/sbom.cdx.json, licences.csv   packages that the pipeline needs, with version, licence, hashes
    dist/manifest.json   path, bytes and SHA-256 of every file above
    dist/perquery-<version>-py3-none-any.whl   estimates to install: `pip install` it, then `perquery --help`
    dist/perquery-<version>.zip   the release: the project, notebooks as run, review site, all of the above,
                      with data package, Croissant and RO-Crate that describe it: their paths hold there
                      alone; and cache/, from which `dvc pull` takes what stages made

Every figure is checked against the journal profile in params.yaml. Nothing is computed here but the tables of
the package, from the fitted model: run `make reproduce` first.
"""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError, run
from pipeline.core.files import write_csv, write_json, write_text
from pipeline.core.parse import Citation, read_citation
from pipeline.core.processes import side_by_side, temporary_folder
from pipeline.core.read import read_checked
from pipeline.core.settings import from_params
from pipeline.predict import predictor
from pipeline.present import paper
from pipeline.present.release import records
from pipeline.present.release.datapackage import copy_tables, croissant, data_package, workbook
from pipeline.present.release.figures import numbered, save
from pipeline.present.release.records import captions, crate, latex, manifest, word, write_zip
from pipeline.present.release.wheel import package_data, write_wheel
from pipeline.repair import alone
from pipeline.report.declared import declared
from pipeline.report.formats import Table
from pipeline.stages.paper import MODULES

DIST = Path("dist")
FIGURES, TABLES, SECTIONS = Path("figures"), Path("paper/tables"), Path("paper/sections")
FACTORS, NOTEBOOKS, SITE = Path("data/results/factors"), Path("build/notebooks"), Path("site")
RECORDS = ("CITATION.cff", ".zenodo.json", "LICENSE", "LICENSE-data")
MANIFEST = "manifest.json"
CACHE = "cache"


def write_figures(target: Path) -> list[dict[str, Any]]:
    """Check and write every figure and the captions; returns the sidecars, in the order of the paper."""
    profile = from_params("figures")
    found = numbered(SECTIONS, FIGURES)
    saved = partial(save, folder=FIGURES, target=target, profile=profile)
    sidecars = side_by_side(saved, found)
    write_text(captions(sidecars), target / "captions.md")
    return sidecars


def write_tables(target: Path) -> dict[str, pd.DataFrame]:
    """Copy every table of the paper and put all into one workbook; returns them by name."""
    tables = {path.stem: pd.read_csv(path) for path in copy_tables(TABLES, target)}
    about = {entry.name: entry for entry in declared(paper, *MODULES) if isinstance(entry, Table)}
    workbook(tables, target / "tables.xlsx", about)
    return tables


def write_records(target: Path, citation: Citation) -> None:
    """Factors, records for archives, and what the pipeline is built on."""
    shutil.copytree(FACTORS, target / "factors", ignore=shutil.ignore_patterns(".gitignore"))
    for name in RECORDS:
        shutil.copyfile(name, target / name)
    write_json(records.codemeta(citation), target / "codemeta.json")
    packages = records.packages()
    write_json(records.sbom(citation, packages), target / "sbom.cdx.json")
    write_csv(records.licences(packages), target / "licences.csv")


def write_package(citation: Citation, target: Path) -> None:
    """The wheel, from the fitted model and the judged classes of services."""
    factors, energy = from_params("factors", "energy")
    classes = {one.name: [item.model for item in one.models] for one in energy.deployments.classes}
    services = read_checked(Path("data/published/closed_services.csv"))
    data = package_data(predictor(), factors, classes, services, citation.version)
    write_wheel(data, factors.package, citation, target)


def write_release(files: dict[str, Path], citation: Citation, target: Path) -> None:
    """The archive: the given files by their names in it, and what describes them."""
    with temporary_folder() as folder:
        package, about = folder / "datapackage.json", folder / "ro-crate-metadata.json"
        described, other = data_package(citation, handed_on=files), folder / "croissant.json"
        write_json(described, package)
        write_json(croissant(described, citation, release_date()), other)
        files[package.name], files[other.name] = package, other
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


def pushed(root: Path = Path()) -> dict[str, Path]:
    """What stages made and git does not keep, as DVC's remote in the folder `cache/`."""
    shutil.rmtree(root / CACHE, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "push", "--quiet"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError(
            f"DVC's cache is incomplete: run `make reproduce` first ({done.stderr.strip()[-80:]})"
        )
    return {path.relative_to(root).as_posix(): path for path in _made(root / CACHE)}


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
    latex(sidecars, DIST / "figures", DIST / "tables", DIST / "latex")
    word(sidecars, tables, DIST / "word")
    write_records(DIST, citation)
    write_package(citation, DIST)
    write_json(manifest(DIST), DIST / MANIFEST)

    files |= {f"export/{item['path']}": DIST / item["path"] for item in manifest(DIST)}
    files |= pushed()
    archive = DIST / f"perquery-{citation.version}.zip"
    write_release(files, citation, archive)
    print(f"== {len(sidecars)} figures, {len(tables)} tables; {archive} has {len(files)} files")
    for one in records.waits_for_owner(citation):
        print(f"   waits for an owner: {one}")


if __name__ == "__main__":
    run(alone()(main))
