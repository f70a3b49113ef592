"""What params.yaml says of serving, against the measurements that it names."""

import numpy as np
import pytest

from pipeline.contracts import read_table
from pipeline.contracts.published import TABLES
from pipeline.contracts.routing import ROUTING_PROFILES
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.estimate.levers.combinations import TOGETHER
from pipeline.estimate.levers.combine import Applied
from tests.estimate.levers.parts import LEVERS, SETTINGS, results, service

LEAST_BATCHES = 4


@pytest.fixture(scope="module")
def elasticities() -> list[float]:
    """Slope of ln power in ln throughput of each measured configuration."""
    table = read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS)
    chat = table[table["source"] == "mlenergy_v3"]
    found = []
    for _, rows in chat.groupby(["model", "precision", "gpu", "gpus"]):
        if len(rows) >= LEAST_BATCHES:
            ln = np.log(rows[["output_tokens_per_s", "gpu_w"]].to_numpy(float))
            found.append(float(np.polyfit(ln[:, 0], ln[:, 1], 1)[0]))
    return found


def test_power_rises_with_throughput_as_params_say(elasticities):
    assert len(elasticities) == 36
    assert np.percentile(elasticities, [5, 95]) == pytest.approx([0.01, 0.22], abs=0.005)
    uniforms = np.array([0.0, 1.0])
    low, high = SETTINGS.power_of_throughput.distribution.ppf(uniforms)
    assert low <= np.percentile(elasticities, 5) < np.percentile(elasticities, 95) <= high


def test_the_share_of_the_cache_has_the_measured_mean():
    measured = LEVERS.set_index("key").loc["prefix_dsv3", "value"]
    assumed = SETTINGS.cached_share.distribution
    assert assumed.alpha / (assumed.alpha + assumed.beta) == pytest.approx(measured, abs=0.002)


def test_settings_of_routing_and_capacity_hold_what_was_measured():
    """Rows behind a prior lie within it."""
    value = LEVERS.set_index("key")["value"]
    for setting, keys in (("utilisation", ["nodes_dsv3"]), ("routed_share", ["mr_balanced_small"])):
        low, high = getattr(SETTINGS, setting).distribution.ppf(np.array([0.05, 0.95]))
        assert value[keys].between(low, high).all()
    nodes = read_table("data/published/token_lengths.csv", TABLES["token_lengths"]).set_index("key")
    assert value["nodes_dsv3"] == pytest.approx(nodes.loc["dsv3_nodes", "value"] / 278, abs=5e-4)  # at peak
    profile = read_table("data/results/routing_profiles.csv", ROUTING_PROFILES)
    balanced = profile[(profile["profile"] == "balanced") & (profile["regime"] == "short")].iloc[0]
    assert value["mr_balanced_small"] == pytest.approx(balanced["share_small"], abs=5e-4)


def test_drafts_with_one_request_gain_what_was_measured():
    """The modelled median lies in the measured range of the same kind of draft."""
    table = results()["systems"]
    drafts = table[(table["system"] == "Speculative decoding") & (table["load"] == "1 sequence")]
    modelled = drafts[drafts["basis"].str.startswith("fitted")]["p50"]
    row = LEVERS.set_index("key").loc["dutta_eagle"]
    assert modelled.between(row["low"], row["high"]).all()


def test_all_of_serving_gains_more_than_any_part():
    parts = TOGETHER["serving"][1]
    for regime in ("short", "long"):
        one = service(regime)
        start = one.energy_wh(Applied())
        each = np.array([start / one.energy_wh(Applied(**{name: True})) for name in parts])
        whole = start / one.energy_wh(Applied(**dict.fromkeys(parts, True)))
        assert np.mean(whole >= each.max(axis=0) * 0.99) > 0.9
