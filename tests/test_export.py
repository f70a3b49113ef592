"""The export as a whole, on one figure."""

import json
import shutil
import subprocess
import sys
import zipfile

import frictionless
import pytest

from pipeline import export
from pipeline.core.errors import InputError
from pipeline.present.release.figures import numbered


@pytest.fixture
def dist(tmp_path, monkeypatch):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (notebooks / "01_data.html").write_text("<html></html>", encoding="utf-8")
    monkeypatch.setattr(export, "DIST", tmp_path / "dist")
    monkeypatch.setattr(export, "NOTEBOOKS", notebooks)
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<html></html>", encoding="utf-8")
    (site / "assets" / "site.css").write_text("", encoding="utf-8")
    monkeypatch.setattr(export, "SITE", site)
    monkeypatch.setattr(export, "pushed", dict)
    monkeypatch.setattr(export, "numbered", lambda *folders: numbered(*folders)[:1])
    return tmp_path / "dist"


def test_the_export_is_complete_and_the_archive_holds_the_project(dist):
    export.main()
    listed = {item["path"] for item in json.loads((dist / "manifest.json").read_text())}
    there = {path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file()}
    assert there - listed == {"manifest.json", next(path.name for path in dist.glob("*.zip"))}
    first = numbered(export.SECTIONS, export.FIGURES)[0]
    for suffix in ("pdf", "svg", "png", "tiff", "json"):
        assert f"figures/{first.file}.{suffix}" in listed
    wanted = {"figures/captions.md", "tables/tables.xlsx", "latex/main.tex", "word/figures-and-tables.html"}
    wanted |= {
        "factors/factors.json",
        "factors/README.md",
        "CITATION.cff",
        ".zenodo.json",
        "codemeta.json",
        "sbom.cdx.json",
        "licences.csv",
    }
    assert wanted <= listed
    assert not listed & {
        "datapackage.json",
        "ro-crate-metadata.json",
    }  # their paths hold in the archive alone
    (folder,) = unpack(next(dist.glob("*.zip")), dist / "unpacked")
    inside = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    crate = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert {"README.md", "dvc.lock", "data/results/claims.csv", "datapackage.json", "LICENSE"} <= inside
    assert {"build/notebooks/01_data.html", "site/index.html", "site/assets/site.css"} <= inside
    described = {item["@id"] for item in crate["@graph"] if item["@type"] == "File"}
    assert described == inside - {"ro-crate-metadata.json"}
    for item in json.loads((folder / "export/manifest.json").read_text(encoding="utf-8")):
        assert (folder / "export" / item["path"]).stat().st_size == item["bytes"]
    report = frictionless.Package(str(folder / "datapackage.json")).validate(limit_rows=20)
    assert report.valid, [error.message for task in report.tasks for error in task.errors][:5]


def unpack(archive, folder):
    with zipfile.ZipFile(archive) as found:
        found.extractall(folder)
    return list(folder.iterdir())


@pytest.mark.parametrize("folder", ["NOTEBOOKS", "SITE"])
def test_without_notebooks_or_site_nothing_is_written(dist, monkeypatch, folder):
    monkeypatch.setattr(export, folder, dist / "none")
    with pytest.raises(InputError, match="run `make reproduce` first"):
        export.main()
    assert not dist.exists()


@pytest.mark.slow
def test_what_stages_made_is_pulled_from_the_archive(tmp_path):
    """A project of one stage with our DVC settings, packed, unpacked without DVC's own cache, and pulled."""
    here, there = tmp_path / "here", tmp_path / "there"
    (here / ".dvc").mkdir(parents=True)
    shutil.copy(".dvc/config", here / ".dvc/config")
    (here / "dvc.yaml").write_text(
        "stages: {one: {cmd: echo 1 > made.txt, outs: [made.txt]}}", encoding="utf-8"
    )

    def run(folder, *words):
        words = [sys.executable, "-m", "dvc", *words] if words[0] != "git" else words
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)

    assert run(here, "git", "init").returncode == 0
    with pytest.raises(InputError, match="run `make reproduce` first"):
        export.pushed(here)
    assert run(here, "repro").returncode == 0
    files = export.pushed(here)
    assert files and all(name.startswith("cache/files/md5/") for name in files)
    shutil.copytree(here, there, ignore=shutil.ignore_patterns("tmp", ".git", "made.txt"))
    shutil.rmtree(there / ".dvc/cache")
    assert run(there, "git", "init").returncode == 0
    assert run(there, "pull").returncode == 0
    assert (there / "made.txt").read_text(encoding="utf-8") == "1\n"
