"""What `dvc metrics` and `dvc exp show` show of a what-if."""

import pandas as pd

from pipeline.what_if.model.answer import headline


def test_the_headline_is_the_mean_of_every_quantity_in_its_unit() -> None:
    table = pd.DataFrame(
        {
            "quantity": ["facility_energy", "total_water"],
            "unit": ["Wh", "mL"],
            "median_p50": [9.0, 9.0],
            "mean_p5": [0.1, 1.0],
            "mean_p50": [0.2, 2.0],
            "mean_p95": [0.4, 4.0],
        }
    )
    assert headline(table) == {
        "facility_energy (Wh/query)": {"p5": 0.1, "p50": 0.2, "p95": 0.4},
        "total_water (mL/query)": {"p5": 1.0, "p50": 2.0, "p95": 4.0},
    }
