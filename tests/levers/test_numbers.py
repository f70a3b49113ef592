import pandas as pd
import pytest

from pipeline.levers import paper
from pipeline.levers.model.contract import SEQUENCES
from pipeline.report.declared import read
from pipeline.report.formats import slug
from tests.report.shown import numbers as numbers_of

TABLE = read("lever_combinations")
NUMBERS = numbers_of(paper)


def test_keys_lead_to_the_rows_of_the_table():
    for row in TABLE[TABLE["combination"] == "graded"].to_dict("records"):
        if row["order"] == 1:
            key = f"lever-alone.{slug(row['regime'])}.graded.{row['group']}.step_p50"
            assert NUMBERS[key] == row["step_p50"]
        if row["lever"] == "Prefix caching":
            sequence = row["sequence"].replace(" ", "-")
            assert (
                NUMBERS[f"lever-step.{slug(row['regime'])}.graded.{sequence}.prefix-caching.step_p5"]
                == row["step_p5"]
            )


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_whole_chain_is_its_last_step_in_either_order(sequence):
    chains = TABLE[TABLE["sequence"] == sequence].sort_values("order")
    for (regime, combination), chain in chains.groupby(["regime", "combination"]):
        whole = NUMBERS[f"lever-all.{slug(regime)}.{slug(combination)}.cumulative_p50"]
        assert whole == pytest.approx(chain["cumulative_p50"].iloc[-1])


def test_no_two_rows_share_a_key():
    steps = [key for key in NUMBERS if key.startswith("lever-step.") and key.endswith(".step_p50")]
    assert len(steps) == len(TABLE) and pd.notna(list(NUMBERS.values())).all()
