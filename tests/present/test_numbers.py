import numpy as np
import pandas as pd

from pipeline.assumptions import load
from pipeline.present.numbers import assumed, by_key, slug


def test_slug_keeps_dots_and_underscores():
    assert slug("Llama 3.1 405B") == "llama-3.1-405b"
    assert slug("blend + model") == "blend-model"
    assert slug("v2_untrimmed") == "v2_untrimmed"


def test_numbers_and_quoted_words_have_keys_and_blanks_have_none():
    table = pd.DataFrame(
        {"variant": ["v2"], "subject": ["blend + model"], "p50_wh": [0.3], "mean_wh": [np.nan]}
        | {"boundary": ["facility"], "verdict": ["exact"]}
    )
    found = by_key("energy", table, ["variant", "subject"])
    assert found == {"energy.v2.blend-model.p50_wh": 0.3, "energy.v2.blend-model.verdict": "exact"}


def test_assumptions_by_path():
    base = load("assumptions.as_published.base")
    found = dict(assumed("assumed.v2", base))
    assert found["assumed.v2.pue.p95"] == base.pue.distribution.p95
    assert found["assumed.v2.node_power_8xh100.value"] == base.node_power_8xh100.distribution.value
    assert found["assumed.v2.trim.outer.2"] == base.trim.outer[1]
    assert not any(value is None for value in found.values())
