from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.contracts import read_table
from pipeline.contracts.factors import BEYOND, EVIDENCE, FACTORS
from pipeline.present.citation import read_citation
from pipeline.present.factors_readme import NAME, counted, readme

RESULTS = Path("data/results/factors")
TABLE = read_table(RESULTS / "factors.csv", FACTORS)
TEXT = (RESULTS / NAME).read_text(encoding="utf-8")


def test_the_committed_readme_is_that_of_the_table():
    assert readme(TABLE, read_citation(), load("factors")) == TEXT


def test_every_column_word_site_and_class_is_explained():
    for name in FACTORS.columns:
        assert f"| `{name}` |" in TEXT
    assert all(f"- {word}: " in TEXT for word in BEYOND)
    assert all(f"| {tier} | {count} |" in TEXT for tier, count in counted(TABLE).items())
    assert list(counted(TABLE)) == EVIDENCE and sum(counted(TABLE).values()) == len(TABLE)
    assert all(f"- `{site}`: " in TEXT for site in TABLE["site"].unique())


def test_the_method_of_every_row_stands_beside_the_table():
    (method,) = TABLE["method"].unique()
    assert (RESULTS / method).is_file()


def test_no_cell_of_words_reads_as_a_date_or_a_number():
    for text in TABLE["requests_in_flight"].unique():
        assert " " in text and not text.replace("-", "").replace("/", "").isdigit()
