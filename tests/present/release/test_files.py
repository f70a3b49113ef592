"""Workbook, bundle, manifest and archive: readable, complete, the same bytes each time."""

import hashlib
import os
import re
import zipfile
from pathlib import Path

import pandas as pd

from pipeline.present import paper
from pipeline.present.release import records
from pipeline.present.release.datapackage import heading, headings, in_numbers, workbook
from pipeline.present.release.records import manifest, write_zip
from pipeline.report.declared import declared
from pipeline.report.formats import Table
from pipeline.stages.paper import MODULES

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
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
        assert '<sheet name="energy"' in book.read("xl/workbook.xml").decode()
        assert "1980-01-01" in book.read("docProps/core.xml").decode()
    assert "<v>0.309</v>" in sheet and 'state="frozen"' in sheet


def test_a_workbook_runs_nothing_that_a_name_holds(tmp_path):
    long = "a" * 40
    names = ['=cmd|"/C calc"!A0', "{=1+1}", "https://example.org"]
    workbook({long: pd.DataFrame({"model": names}), f"{long}b": TABLES["empty"]}, tmp_path / "x.xlsx")
    with zipfile.ZipFile(tmp_path / "x.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
        assert "<f" not in sheet.replace("<fo", "") and "hyperlink" not in sheet
        assert re.findall('<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode()) == [
            "Contents",
            "a" * 31,
            "a" * 29 + "~2",
            "Columns",
        ]


def test_an_interval_in_text_becomes_three_numbers_and_goes_where_they_stand_already() -> None:
    table = pd.DataFrame(
        {
            "title": ["today (now)", "then"],
            "energy": ["0.82 (0.19–4.8)", "13.4 (2.6–77.9)"],
            "p50": [16.018, 1.4],
            "gain": ["16.0 (5.2–40.0)", "1.4"],
            "share_p50": [0.53, 0.85],
            "share": ["53 % (52–57)", "85 % (83–91)"],
        }
    )
    found = in_numbers(table)
    assert list(found) == ["title", "energy_low", "energy_mid", "energy_high", "p50", "share_p50"]
    assert found["energy_high"].tolist() == [4.8, 77.9]


def test_headings_are_words_with_units() -> None:
    assert heading("median_p50_wh") == ("Median, mid (P50)", "Wh")
    assert heading("p5_gwh_per_day") == ("Low (P5)", "GWh/day")
    assert heading("energy_low") == ("Energy, low", "")
    assert heading("wue_l_per_kwh") == ("WUE", "L/kWh")
    about = Table("x", len, {}, "Caption", {"energy": "GWh a day"})
    assert heading("energy_mid", about) == ("GWh a day, mid", "")


def test_every_table_of_the_paper_has_headings_of_its_own_and_no_interval_in_text(tmp_path) -> None:
    tables = {path.stem: pd.read_csv(path) for path in sorted(Path("paper/tables").glob("*.csv"))}
    about = {entry.name: entry for entry in declared(paper, *MODULES) if isinstance(entry, Table)}
    for name, table in tables.items():
        found = in_numbers(table)
        assert len(set(headings(found, about.get(name)).values())) == len(found.columns), name
        texts = [str(text) for text in found.select_dtypes(exclude="number").to_numpy().ravel()]
        assert not [text for text in texts if re.fullmatch(r"[\d.]+ \([\d.]+–[\d.]+\)", text)], name
    workbook(tables, tmp_path / "tables.xlsx", about)
    with zipfile.ZipFile(tmp_path / "tables.xlsx") as book:
        assert "autoFilter" in book.read("xl/worksheets/sheet2.xml").decode()


def test_captions_have_number_and_alt_text():
    text = records.captions([ABOUT, {**ABOUT, "number": ""}])
    assert "## Figure 1A. Energy\n" in text and "\n## Energy\n" in text
    assert text.count('*Alt text.* Two "dots".') == 2


def test_the_latex_folder_holds_what_it_includes(tmp_path):
    figures, tables = tmp_path / "figures", tmp_path / "tables"
    for folder, name in ((figures, "figure-1A.pdf"), (tables, "energy.tex"), (tables, "energy.md")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")
    records.latex([ABOUT], figures, tables, tmp_path / "latex")
    text = "".join(path.read_text() for path in (tmp_path / "latex").glob("*.tex"))
    for name in re.findall(r"\\includegraphics\[[^]]*\]\{([^}]+)\}", text):
        assert (tmp_path / "latex" / name).is_file()
    for name in re.findall(r"\\input\{([^}]+)\}", text):
        assert (tmp_path / "latex" / f"{name}.tex").is_file()
    assert r"A 90 \% interval of energy\_wh \& more, $\times$2." in text
    assert text.count("{") == text.count("}")


def test_the_word_page_names_pictures_and_shows_tables(tmp_path):
    records.word([ABOUT], TABLES, tmp_path)
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
