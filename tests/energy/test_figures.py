"""The figures of the re-estimate say what its tables say."""

from itertools import pairwise

import pandas as pd
import pytest

from pipeline.energy.figures import change, spread
from pipeline.report import formats, style
from pipeline.report.declared import read
from pipeline.report.figures import Drawing
from tests.report.synthetic import PROFILE, draw

BRIDGE = read("bridge")


def texts(drawing: Drawing, panel: int) -> set[str]:
    return {text.get_text() for text in drawing.figure.axes[panel].texts}


@pytest.mark.parametrize("place", spread.BARS)
def test_the_parts_of_a_bar_are_shares_of_the_table_and_a_whole(place: tuple[str, str]) -> None:
    table = read("variance_shares")
    found = spread.parts(table, *place)
    assert sum(found.values()) == pytest.approx(100, abs=0.1)
    chosen = (table["regime"] == place[0]) & (table["target"] == place[1])
    lengths = table[chosen & (table["group"] == "length")]["first_order"]
    assert any(found["lengths"] == pytest.approx(100 * share) for share in lengths)


def test_shares_that_exceed_a_whole_by_sampling_are_scaled_to_it() -> None:
    table = read("variance_shares")
    found = spread.parts(table.assign(first_order=table["first_order"] * 2), "short", "one query")
    assert sum(found.values()) == pytest.approx(100) and found[spread.TOGETHER] == pytest.approx(0)


@pytest.mark.parametrize(("panel", "regime"), enumerate(style.REGIME_NAMES))
def test_each_step_of_the_bridge_has_its_factor_and_they_lead_from_end_to_end(
    panel: int, regime: str
) -> None:
    rows, whole = change.way(BRIDGE, regime), BRIDGE[BRIDGE["regime"] == regime].sort_values("step")
    ends = whole["median_wh"].iloc[[0, -1]].to_numpy()
    assert list(rows["median_wh"].iloc[[0, -1]]) == list(ends)
    assert rows["ratio"].iloc[1:].prod() == pytest.approx(ends[1] / ends[0])
    with style.context(PROFILE):
        shown = texts(draw("fig-r8-bridge"), panel)
    assert {f"×{formats.significant(ratio)}" for ratio in rows["ratio"].iloc[1:]} <= shown
    assert {formats.significant(value) for value in rows["median_wh"]} <= shown


def test_bars_of_the_bridge_lead_from_each_median_to_the_next() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-r8-bridge")
    medians = change.way(BRIDGE, "short")["median_wh"].to_numpy()
    bars = [patch for patch in drawing.figure.axes[0].patches if patch.get_gid() == "bar"]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert ends == [pytest.approx(pair) for pair in pairwise(medians)]


def test_a_change_that_stands_in_no_group_is_an_error() -> None:
    table = pd.DataFrame(BRIDGE.replace({"name": {"pue": "unheard of"}}))
    with pytest.raises(KeyError, match="unheard of"):
        change.way(table, "short")


def test_medians_of_lengths_are_those_of_the_table() -> None:
    table = read("length_quantiles")
    rows = table[table["statistic"] == "p50"]
    rows = rows[(rows["regime"] == "long") & (rows["quantity"] == "output_tokens")].set_index("scenario")
    assumed, production = spread.medians(table, "long", "output_tokens")
    assert assumed == f"{rows.loc['published', 'tokens_p50']:,.0f}"
    assert production.startswith(f"{rows.loc['production', 'tokens_p50']:,.0f} (")
