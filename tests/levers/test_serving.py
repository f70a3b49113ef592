"""What params.yaml says of serving, against the measurements that it names."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read, transcription
from pipeline.ingest.sources import with_role
from tests.levers.parts import LEVERS, SETTINGS, small

LEAST_BATCHES = 4


@pytest.fixture(scope="module")
def elasticities(serving_measurements: pd.DataFrame) -> list[float]:
    """Slope of ln power in ln throughput of each measured configuration."""
    chat = with_role(serving_measurements, "chat")
    found = []
    for _, rows in chat.groupby(["model", "precision", "gpu", "gpus"]):
        if len(rows) >= LEAST_BATCHES:
            ln = np.log(rows[["output_tokens_per_s", "gpu_w"]].to_numpy(float))
            found.append(float(np.polyfit(ln[:, 0], ln[:, 1], 1)[0]))
    return found


def test_power_rises_with_throughput_as_params_say(elasticities):
    assert np.percentile(elasticities, [5, 95]) == pytest.approx([0.01, 0.22], abs=0.005)
    uniforms = np.array([0.0, 1.0])
    low, high = SETTINGS.power_of_throughput.distribution.ppf(uniforms)
    assert low <= np.percentile(elasticities, 5) < np.percentile(elasticities, 95) <= high


def test_settings_of_routing_and_capacity_hold_what_was_measured():
    """Rows behind a prior lie within it."""
    value = LEVERS.set_index("key")["value"]
    adaptive, routed = SETTINGS.adaptive.utilisation, SETTINGS.routed.share
    for setting, keys in ((adaptive, ["nodes_dsv3"]), (routed, ["mr_balanced_small"])):
        low, high = setting.distribution.ppf(np.array([0.05, 0.95]))
        assert value[keys].between(low, high).all()
    nodes = transcription("published/token_lengths").set_index("key")
    assert value["nodes_dsv3"] == pytest.approx(nodes.loc["dsv3_nodes", "value"] / 278, abs=5e-4)  # at peak
    profile = read("routing_profiles")
    balanced = profile[(profile["profile"] == "balanced") & (profile["regime"] == "short")].iloc[0]
    assert value["mr_balanced_small"] == pytest.approx(balanced["share_small"], abs=5e-4)


def test_drafts_with_one_request_gain_what_was_measured():
    """The modelled median lies in the measured range of the same kind of draft."""
    table = small()["systems"]
    drafts = table[(table["system"] == "Speculative decoding") & (table["load"] == "1 sequence")]
    modelled = drafts[drafts["basis"].str.startswith("fitted")]["p50"]
    row = LEVERS.set_index("key").loc["dutta_eagle"]
    assert modelled.between(row["low"], row["high"]).all()
