"""Workbook, bundle, manifest and archive: readable, complete, the same bytes each time."""

import hashlib
import os
import re
import zipfile

import pandas as pd

from pipeline.present.release import bundle
from pipeline.present.release.archive import manifest, write_zip
from pipeline.present.release.tables import workbook

TABLES = {
    "energy": pd.DataFrame({"subject": ["blend", "a & b"], "p50_wh": [0.309, None], "n": [1, 2]}),
    "empty": pd.DataFrame({"subject": pd.Series(dtype="str")}),
}
ABOUT = {
    "name": "fig-1a",
    "file": "figure-1A",
    "number": "1A",
    "title": "Energy",
    "caption": "A 90 % interval of energy_wh & more, ×2.",
    "alt": 'Two "dots".',
    "width_mm": 85.0,
}


def test_a_workbook_keeps_numbers_as_numbers_and_its_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        workbook(TABLES, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert '<sheet name="energy"' in book.read("xl/workbook.xml").decode()
        assert "1980-01-01" in book.read("docProps/core.xml").decode()
    assert "<v>0.309</v>" in sheet and 'state="frozen"' in sheet


def test_captions_have_number_and_alt_text():
    text = bundle.captions([ABOUT, {**ABOUT, "number": ""}])
    assert "## Figure 1A. Energy\n" in text and "\n## Energy\n" in text
    assert text.count('*Alt text.* Two "dots".') == 2


def test_the_latex_folder_holds_what_it_includes(tmp_path):
    figures, tables = tmp_path / "figures", tmp_path / "tables"
    for folder, name in ((figures, "figure-1A.pdf"), (tables, "energy.tex"), (tables, "energy.md")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")
    bundle.latex([ABOUT], figures, tables, tmp_path / "latex")
    text = "".join(path.read_text() for path in (tmp_path / "latex").glob("*.tex"))
    for name in re.findall(r"\\includegraphics\[[^]]*\]\{([^}]+)\}", text):
        assert (tmp_path / "latex" / name).is_file()
    for name in re.findall(r"\\input\{([^}]+)\}", text):
        assert (tmp_path / "latex" / f"{name}.tex").is_file()
    assert r"A 90 \% interval of energy\_wh \& more, $\times$2." in text
    assert text.count("{") == text.count("}")


def test_the_word_page_names_pictures_and_shows_tables(tmp_path):
    bundle.word([ABOUT], TABLES, tmp_path)
    page = (tmp_path / "figures-and-tables.html").read_text(encoding="utf-8")
    assert 'src="../figures/figure-1A.png" alt="Two &quot;dots&quot;."' in page and "width:85mm" in page
    assert "<td>a &amp; b</td>" in page and "<td>0.309</td>" in page


def test_the_manifest_names_every_file_by_its_hash(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/two.txt").write_bytes(b"two")
    (tmp_path / "a.txt").write_bytes(b"one")
    found = manifest(tmp_path)
    assert [item["path"] for item in found] == ["a.txt", "b/two.txt"]
    assert found[1] == {"path": "b/two.txt", "bytes": 3, "sha256": hashlib.sha256(b"two").hexdigest()}


def test_an_archive_keeps_its_bytes_whatever_the_machine_says(tmp_path):
    one = tmp_path / "one.txt"
    one.write_text("1", encoding="utf-8")
    write_zip({"top/one.txt": one, "top/a.txt": one}, tmp_path / "a.zip")
    os.utime(one, (1, 1))
    one.chmod(0o755)
    write_zip({"top/a.txt": one, "top/one.txt": one}, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["top/a.txt", "top/one.txt"] and archive.testzip() is None
