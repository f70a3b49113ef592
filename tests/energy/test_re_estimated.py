import numpy as np
import pytest

from pipeline.core.assumption import LogNormal
from pipeline.core.read import validate
from pipeline.energy.model.contract import RE_ESTIMATED
from pipeline.energy.model.estimate import estimate, subjects
from tests.energy.serving_stub import stub
from tests.energy.study_parts import SETTINGS, SMALL, case_of, constant, small

STUDY = small()
SHORT = case_of(STUDY, "production", "short")
ENERGIES = {(subject, boundary): values for subject, boundary, values in subjects(STUDY, SHORT)}
TABLES, SPLIT = estimate(STUDY, 1e9, 0.1)


def facility_of(settings=SETTINGS, model=None):
    study = small(settings, model)
    found = subjects(study, case_of(study, "production", "short"))
    return {(subject, boundary): values for subject, boundary, values in found}


def test_every_subject_regime_scenario_and_boundary_has_a_row() -> None:
    validate(SPLIT, RE_ESTIMATED, "split")
    of_case = {(case.scenario, case.regime): STUDY.able(case) for case in STUDY.cases}
    others = len(STUDY.deployments.services) + 1  # and the blend
    assert len(SPLIT) == 3 * sum(len(able) + others for able in of_case.values())
    assert len(TABLES.energy) == len(SPLIT)


def test_the_blend_is_the_mixture_of_its_members_in_equal_parts() -> None:
    members = [ENERGIES[name, "facility"] for name in STUDY.deployments.blend]
    blend = ENERGIES["blend", "facility"]
    assert STUDY.deployments.blend == ["DeepSeek-R1", "Llama 3.1 405B", "Nemotron Ultra 253B"]
    assert blend.mean() == pytest.approx(np.mean([member.mean() for member in members]))
    for wh in np.quantile(blend, [0.05, 0.5, 0.95]):
        assert (blend < wh).mean() == pytest.approx(np.mean([(member < wh).mean() for member in members]))


def test_all_draws_are_kept() -> None:
    rows = TABLES.energy[
        (TABLES.energy["variant"] == "production_lengths") & (TABLES.energy["regime"] == "short")
    ]
    draws = SMALL.replicates * SMALL.outer * SMALL.inner
    for row in rows.to_dict("records"):
        values = ENERGIES[row["subject"], row["boundary"]]
        assert row["n_draws"] == values.size == draws * (3 if row["subject"] == "blend" else 1)
        assert row["mean_wh"] == pytest.approx(values.mean(), rel=1e-9)
    assert TABLES.energy_histograms.groupby(["variant", "regime", "subject"])["count"].sum().min() == draws


def test_boundaries_contain_each_other() -> None:
    for subject in ("Llama 3.1 405B", "DeepSeek-R1"):
        gpu, node, facility = (ENERGIES[subject, b] for b in ("gpu", "node", "facility"))
        assert (gpu < node).all()
        assert (node < facility).all()


def test_facility_energy_is_proportional_to_pue() -> None:
    low, high = (
        facility_of(SETTINGS.model_copy(update={"pue": constant(SETTINGS.pue, pue)})) for pue in (1.1, 2.2)
    )
    ratio = high["Llama 3.1 405B", "facility"] / low["Llama 3.1 405B", "facility"]
    assert ratio == pytest.approx(2.0)
    assert np.array_equal(high["Llama 3.1 405B", "node"], low["Llama 3.1 405B", "node"])


def test_accelerator_energy_is_proportional_to_their_power() -> None:
    plain = stub()

    def doubled(rows, samples, kept=None):
        cost = plain(rows, samples, kept)
        return type(cost)(**(vars(cost) | {"gpu_w": 2 * cost.gpu_w}))

    ratio = facility_of(model=doubled)["Mixtral 8x22B", "gpu"] / ENERGIES["Mixtral 8x22B", "gpu"]
    assert ratio == pytest.approx(2.0)
    node = facility_of(model=doubled)["Mixtral 8x22B", "node"] / ENERGIES["Mixtral 8x22B", "node"]
    assert (node < 2).all()
    assert (node > 1).all()


def test_a_sample_runs_one_engine_and_as_many_run_each_as_stated() -> None:
    plain = stub()

    def slower_on_one(rows, samples, kept=None):
        cost = plain(rows, samples, kept)
        factor = 3.0 if (rows["engine"] == "TensorRT-LLM").all() else 1.0
        seconds = {name: factor * value for name, value in vars(cost).items() if "_s_per_" in name}
        return type(cost)(**(vars(cost) | seconds))

    def ratio(share: float) -> np.ndarray:
        deployments = SETTINGS.deployments
        stated = deployments.model_copy(
            update={"tensorrt_share": constant(deployments.tensorrt_share, share)}
        )
        energies = facility_of(SETTINGS.model_copy(update={"deployments": stated}), slower_on_one)
        return energies["Mixtral 8x22B", "gpu"] / ENERGIES["Mixtral 8x22B", "gpu"]

    assert ratio(0.0) == pytest.approx(1.0)
    assert ratio(1.0) == pytest.approx(3.0)
    quarter = ratio(0.25)[:, :, 0]
    assert np.isclose(quarter, 3.0).mean() == pytest.approx(0.25, abs=0.02)
    assert (np.isclose(quarter, 1.0) | np.isclose(quarter, 3.0)).all()


def test_a_gain_of_the_fleet_divides_the_energy_of_its_model_alone() -> None:
    def with_gain(value: float):
        deployments = SETTINGS.deployments
        first, *others = deployments.models
        spread = first.model_copy(update={"fleet_gain": constant(first.fleet_gain, value)})
        models = deployments.model_copy(update={"models": [spread, *others]})
        return facility_of(SETTINGS.model_copy(update={"deployments": models}))

    alone, spread = with_gain(1.0), with_gain(2.0)
    for (subject, boundary), wh in alone.items():
        if subject in STUDY.deployments.services or subject == "blend":
            continue
        times = 2.0 if subject == "DeepSeek-R1" else 1.0
        if times:
            assert spread[subject, boundary] == pytest.approx(wh / times)


def test_full_load_leaves_no_idle_servers_and_costs_least() -> None:
    load = SETTINGS.load
    full = load.model_copy(update={"utilisation": constant(load.utilisation, 1.0)})
    practice = SETTINGS.practice.model_copy(
        update={"reallocates": constant(SETTINGS.practice.reallocates, 0.0)}
    )
    energies = facility_of(SETTINGS.model_copy(update={"load": full, "practice": practice}))
    pue = STUDY.samples.pue.reshape(SMALL.replicates, -1, 1)
    served = energies["Llama 3.1 70B", "node"] * pue
    assert energies["Llama 3.1 70B", "facility"] == pytest.approx(served)
    assert energies["Llama 3.1 70B", "facility"].mean() < 0.95 * ENERGIES["Llama 3.1 70B", "facility"].mean()


def test_the_fleet_uses_means_and_mixes_the_regimes() -> None:
    fleet = TABLES.fleet.set_index(["variant", "scenario", "component"])
    means = ENERGIES["blend", "facility"].mean(axis=2)
    short = fleet.loc[("production_lengths", "short", "total")]
    assert short["value_gwh_per_day"] == pytest.approx(np.median(means, axis=1).mean(), rel=1e-9)
    mixed = fleet.loc[("production_lengths", "mixed", "short")]
    assert mixed["value_gwh_per_day"] == pytest.approx(0.9 * short["value_gwh_per_day"])
    assert (fleet["p5_gwh_per_day"] < fleet["p95_gwh_per_day"]).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    again = estimate(small(), 1e9, 0.1)[1]
    other = estimate(small(seed=7), 1e9, 0.1)[1]
    assert again.equals(SPLIT)
    assert not other.equals(SPLIT)


def test_samples_follow_the_assumptions() -> None:
    pue = SETTINGS.pue.distribution
    assert isinstance(pue, LogNormal)
    assert np.median(STUDY.samples.pue) == pytest.approx(pue.median(), rel=0.01)
    assert np.percentile(STUDY.samples.pue, 95) == pytest.approx(pue.p95, rel=0.02)


def test_cases_share_their_uniforms_so_that_what_differs_is_the_case() -> None:
    study = small()
    short, long = (case_of(study, "published", regime).queries.output_tokens for regime in ("short", "long"))
    inside = short > 100  # rounding to whole tokens is half a per cent there
    assert long[inside] / short[inside] == pytest.approx(5000 / 300, rel=0.006)
