import numpy as np
import pandas as pd
import pytest

from pipeline.fit.load_evidence import deepseek_nodes, from_rates


def test_mean_over_peak_of_a_made_up_day() -> None:
    rates = pd.DataFrame(
        {
            "service": "servegen/made-up",
            "start_s": [0.0, 600.0, 1200.0, 1800.0],
            "window_s": 600.0,
            "requests": [10.0, 20.0, 30.0, 40.0],
            "input_tokens": np.nan,
            "output_tokens": np.nan,
        }
    )
    table = from_rates(rates)
    assert table["quantity"].tolist() == ["requests"]
    assert table["mean_over_peak"].tolist() == pytest.approx([25 / 40])


def test_deepseeks_mean_rates_account_for_its_mean_nodes() -> None:
    """14.8k and 73.7k are means over the nodes of each kind: 0.58 is a share of nodes, not a load."""
    facts = pd.read_csv("data/published/token_lengths.csv")
    table = deepseek_nodes(facts).set_index("quantity")
    values = facts.set_index("key")["value"]
    needed = (values["dsv3_out"] / values["dsv3_dec"] + values["dsv3_in"] / values["dsv3_pre"]) / 86400
    assert needed == pytest.approx(values["dsv3_nodes"], rel=0.002)
    assert table.loc["decode nodes over all nodes", "mean_over_peak"] == pytest.approx(0.58, abs=0.005)
    assert table.loc["nodes in use", "mean_over_peak"] == pytest.approx(226.75 / 278)
