"""What `dvc metrics` and `dvc exp show` show of a what-if."""

import json

from pipeline.contracts.read import read_table
from pipeline.contracts.what_if import WHAT_IF
from pipeline.estimate.what_if.answer import headline


def test_the_headline_is_the_mean_of_every_quantity_in_its_unit() -> None:
    table = read_table("data/results/what_if.csv", WHAT_IF)
    found = headline(table)
    assert len(found) == len(table)
    row = table.set_index("quantity").loc["facility_energy"]
    assert found["facility_energy (Wh/query)"] == {
        "p5": row["mean_p5"],
        "p50": row["mean_p50"],
        "p95": row["mean_p95"],
    }
    json.dumps(found, allow_nan=False)
