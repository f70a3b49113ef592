import pandas as pd
import pytest

from pipeline.contracts import read_table
from pipeline.contracts.levers import LEVER_COMBINATIONS, SEQUENCES
from pipeline.present.lever_numbers import collect_levers
from pipeline.present.numbers import slug

TABLE = read_table("data/results/lever_combinations.csv", LEVER_COMBINATIONS)


def test_keys_lead_to_the_rows_of_the_table():
    numbers = collect_levers(TABLE)
    for row in TABLE[TABLE["combination"] == "graded"].to_dict("records"):
        if row["order"] == 1:
            assert numbers[f"lever-alone.{row['regime']}.graded.{row['group']}.step_p50"] == row["step_p50"]
        if row["lever"] == "Prefix caching":
            sequence = row["sequence"].replace(" ", "-")
            assert (
                numbers[f"lever-step.{row['regime']}.graded.{sequence}.prefix-caching.step_p5"]
                == row["step_p5"]
            )


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_whole_chain_is_its_last_step_in_either_order(sequence):
    numbers = collect_levers(TABLE)
    chains = TABLE[TABLE["sequence"] == sequence].sort_values("order")
    for (regime, combination), chain in chains.groupby(["regime", "combination"]):
        whole = numbers[f"lever-all.{regime}.{slug(combination)}.cumulative_p50"]
        assert whole == pytest.approx(chain["cumulative_p50"].iloc[-1])


def test_no_two_rows_share_a_key():
    numbers = collect_levers(TABLE)
    steps = [key for key in numbers if key.startswith("lever-step.") and key.endswith(".step_p50")]
    assert len(steps) == len(TABLE) and pd.notna(list(numbers.values())).all()
