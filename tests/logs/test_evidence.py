"""What samples alone show of their meters: refused, flagged, or left alone. No engine runs here."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.logs.evidence import METER, read_evidence
from pipeline.logs.explained import unexplained
from pipeline.logs.meters import _gaps
from pipeline.logs.node_ratio import most_idle_w
from pipeline.logs.publish import taken_as_whole
from pipeline.logs.shifts import BIN_S, Probe, find_shift, numbers_missing
from tests.logs.conftest import params, settings
from tests.logs.situations import IDLE_W, PREFILL, Service, service

WATTS = service(minutes=4, a_second=1.0).power["watts"].to_numpy()
START_US = 1_767_571_200_000_000


def evidence(interval_s: float = 1.0, scope: str = "gpu", **series: np.ndarray):
    """Evidence of meters of one node; a name that begins with `wall` is of the whole node."""
    tables = []
    for name, watts in series.items():
        table = pd.DataFrame({"start_us": START_US + np.arange(len(watts)) * round(interval_s * 1e6)})
        wall = name.startswith("wall")
        device = "" if name in ("wall", "unnamed") else name.strip("_").replace("__", "-")
        tables.append(
            table.assign(node="n", scope="node_wall" if wall else scope, device=device, watts=watts)
        )
    probe = pd.concat(tables, ignore_index=True)
    probe.loc[~(probe["watts"] > 0), "watts"] = np.nan
    meters = probe.groupby(METER, as_index=False).agg(
        samples=("watts", "size"), usable=("watts", "count"), milliwatts=("watts", "sum")
    )
    return read_evidence(probe, meters, "power.csv", params().limits)


def parts(shares: list[float], noise: float = 0.05) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [WATTS * share * rng.normal(1, noise, len(WATTS)) for share in shares]


def test_sound_meters_raise_no_doubt():
    one, two = parts([0.5, 0.5])
    idle = np.where(np.arange(len(WATTS)) % 90 < 30, WATTS, IDLE_W)  # stands still between bursts
    assert not evidence(_0=one, _1=two).flags
    assert not evidence(scope="node_wall", unnamed=idle).flags
    assert not evidence(_0=WATTS, _1=np.full(len(WATTS), 70.0)).flags  # a card that idles


def test_meters_in_turn_under_one_name_are_refused():
    levels = np.resize([0.4, 0.8, 1.2, 1.6], len(WATTS))
    with pytest.raises(InputError, match=r"goes through 4 levels .* the column `device` is missing"):
        evidence(unnamed=WATTS * levels)


@pytest.mark.parametrize("name", ["Total", "total power", "System", "chassis_1"])
def test_a_total_beside_its_parts_is_refused_by_its_name(name):
    one, two = parts([0.5, 0.5])
    with pytest.raises(InputError, match="its name says that it is their sum"):
        evidence(scope="node_wall", PSU1=one, PSU2=two, **{name: WATTS * 1.04})


def test_meters_of_two_exporters_are_refused():
    one, two = parts([0.5, 0.5])
    again = {
        f"GPU__{k}a1b2c3d__1111": one if k == 0 else two * np.random.default_rng(k).normal(1, 0.02, len(two))
        for k in range(2)
    }
    with pytest.raises(InputError, match="each meter twice"):
        evidence(_0=one, _1=two, **again)


@pytest.mark.parametrize("decimals", [1, 0])
def test_a_coarse_counter_of_energy_in_watts_is_refused(decimals):
    with pytest.raises(InputError, match="it counts energy"):
        evidence(scope="node_wall", unnamed=(5231.4 + WATTS.cumsum() / 3.6e6).round(decimals))


@pytest.mark.parametrize(
    "watts",
    [
        np.full(len(WATTS), 1234.0),
        np.r_[WATTS[:100], np.full(len(WATTS) - 100, WATTS[100])],
        np.r_[np.full(60, WATTS[60]), WATTS[60:]],
    ],
)
def test_a_meter_that_stands_still_above_its_floor_is_flagged(watts):
    assert [flag.kind for flag in evidence(scope="node_wall", unnamed=watts).flags] == ["meter stands still"]


def test_a_card_that_reads_next_to_nothing_is_flagged():
    one, two = parts([0.5, 0.5])
    assert evidence(_0=one, _1=two, _2=np.full(len(WATTS), 2.0)).flags


@pytest.mark.parametrize(("every", "watts", "run"), [(60, 19_000.0, 2), (30, 12_000.0, 1)])
def test_spikes_at_the_wall_are_flagged(every, watts, run):
    spoilt = np.where(np.arange(len(WATTS)) % every < run, watts, WATTS)
    assert [flag.kind for flag in evidence(scope="node_wall", unnamed=spoilt).flags] == ["single spikes"]


def test_a_dead_card_does_not_matter_beside_a_meter_at_the_wall():
    one, two = parts([0.5, 0.5])
    with pytest.raises(InputError, match="reads no power"):
        evidence(_0=one, _1=two * 0)
    found = evidence(_0=one, _1=two * 0, wall=WATTS)
    assert not found.flags and "is not judged" in found.notes[0]


@pytest.mark.parametrize(
    ("labels", "gpu", "missing"),
    [
        ("0124567", "", "7 accelerators, and none of number 3:"),
        ("4567", "", "none of number 0, 1, 2, 3:"),
        ("0123456", "", "of 7 accelerators: give"),
        ("abc", "", "of 3 accelerators: give"),
        ("01234567", "", ""),
        ("0", "NVIDIA L4", ""),
        ("0", "NVIDIA H100 80GB HBM3", "of 1 accelerators: give"),
        ("0123", "NVIDIA H100 80GB HBM3", ""),
        ("0123", "NVIDIA GB200", ""),
        ("0123", "NVIDIA B200", "of 4 accelerators: give"),
        ("0123", "AMD Instinct MI300X OAM", "of 4 accelerators: give"),
    ],
)
def test_numbers_of_cards_that_are_not_there_are_noticed(labels, gpu, missing):
    found = _gaps("n", [f"gpu{label}" for label in labels], gpu)
    assert bool(found) == bool(missing)
    assert missing in "".join(found)


def test_cards_in_turn_that_differ_little_are_flagged_under_no_name():
    """Two halves of a node, a sample of each in turn, of which neither is a card's nor the node's."""
    one, two = parts([0.5, 0.5], noise=0.01)
    turned = np.where(np.arange(len(WATTS)) % 2, one, two * 1.04)
    assert [flag.kind for flag in evidence(unnamed=turned).flags] == ["meters in turn"]
    assert not evidence(unnamed=one).flags and not evidence(_0=turned).flags


def probe(of: Service, keep: np.ndarray | slice = slice(None)) -> Probe:
    asked = of.requests[keep].reset_index(drop=True)
    return Probe(
        pd.DataFrame({
            "node": 0, "model": 0, "usable": True,
            "start_us": (START_US + asked["time"] * 1e6).astype("int64"),
            "end_us": (START_US + asked["end"] * 1e6).astype("int64"),
            "weight": asked["output_tokens"] + PREFILL * asked["input_tokens"],
        }),
        {"n": None}, True,
    )  # fmt: skip


def doubts(asked: Probe, *watts: np.ndarray) -> list[str]:
    """What is said of meters with a sample a second: of the whole node, or of its accelerators."""
    scope = "gpu" if len(watts) > 1 else "node_wall"
    bins = (START_US // 1_000_000 + np.arange(len(watts[0]))) // BIN_S
    columns = pd.MultiIndex.from_tuples(
        [(scope, str(k)) for k in range(len(watts))], names=["scope", "device"]
    )
    table = pd.DataFrame(np.array(watts).T, columns=columns).groupby(bins).mean()
    intervals = pd.DataFrame({"node": ["n"], "interval_us": [1e6]})
    return [flag.kind for flag in unexplained(asked, {"n": table}, intervals, 0.05)[0]]


@pytest.mark.parametrize("minutes", [8, 30])
def test_watts_of_requests_that_the_log_does_not_have_are_noticed(minutes):
    of, rng = service(minutes=minutes, seed=3), np.random.default_rng(1)
    watts = of.power["watts"].to_numpy()
    saturated = IDLE_W + 4000 * (1 - np.exp((IDLE_W - watts) / 3000))
    for drawn in (watts, saturated, watts * rng.normal(1, 0.1, len(watts))):
        assert not doubts(probe(of), drawn)
        assert doubts(probe(of, rng.uniform(size=len(of.requests)) < 0.25), drawn)
    noise, steps = rng.normal(5200, 300, len(watts)), watts.reshape(-1, 60).mean(axis=1).repeat(60)
    assert not doubts(probe(of), noise) and not doubts(probe(of), steps)


def test_another_job_on_other_accelerators_is_noticed():
    of, rng = service(minutes=10, a_second=2.5), np.random.default_rng(1)
    share = of.power["watts"].to_numpy() / 4
    serving = [share * rng.normal(1, 0.03, len(share)) for _ in range(4)]
    for level, found in ((1.2, ["accelerators that do not serve"]), (0.1, [])):
        others = [share.mean() * level * rng.normal(1, 0.03, len(share)) for _ in range(4)]
        assert doubts(probe(of), *serving, *others) == found
    other = service(minutes=10, a_second=2.5, seed=9, bursts=True).power["watts"].to_numpy() / 4
    assert doubts(probe(of), *serving, *(other * rng.normal(1, 0.03, len(other)) for _ in range(4)))


@pytest.mark.parametrize(
    ("every", "name", "found"), [(1, "r-", 0), (4, "r-", 1), (4, "", 1), (10**7, "r", 0)]
)
def test_numbers_of_requests_that_are_not_there_are_noticed(every, name, found):
    asked = pd.DataFrame({"request": [f"{name}{1000 + every * k:07d}" for k in range(100)]})
    assert len(numbers_missing(Probe(asked, {"n": None}, True))) == found


def test_a_node_of_a_known_type_has_a_power_that_it_does_not_idle_above():
    assert most_idle_w("NVIDIA H100 80GB HBM3") == pytest.approx(
        450, rel=0.3
    )  # 2,574 W of eight were measured
    assert most_idle_w("in-house card") is None


def test_a_short_log_of_a_sound_meter_is_not_taken_for_meters_in_turn():
    """A sample in 15 s, ten minutes: few enough that some number of levels would fit them."""
    for seed in range(12):
        made = service(minutes=10, step_s=15, a_second=0.3, seed=seed).power["watts"].to_numpy()
        assert not evidence(interval_s=15, _0=made, _1=made[::-1].copy()).flags


def test_accelerators_that_share_a_load_are_not_one_meter_twice():
    one, two = parts([0.5, 0.5], noise=0.004)
    assert not evidence(_0=one, _5=two).flags
    with pytest.raises(InputError, match="show the same series"):
        evidence(_0=one, card__0=two)


def test_one_meter_twice_is_refused_also_where_the_second_reads_later():
    one, other = parts([0.5, 0.5])
    later = START_US + np.arange(len(one)) * 1_000_000 + 300_000
    twice = pd.concat(
        [
            pd.DataFrame({"start_us": later - shift, "device": device, "watts": watts})
            for device, watts, shift in (("0", one, 300_000), ("1", other, 300_000), ("card-0", one, 0))
        ]
    ).assign(node="n", scope="gpu")
    meters = twice.groupby(METER, as_index=False).agg(
        samples=("watts", "size"), usable=("watts", "count"), milliwatts=("watts", "sum")
    )
    with pytest.raises(InputError, match="'0' and 'card-0' of node 'n' show the same series"):
        read_evidence(twice, meters, "power.csv", params().limits)


@pytest.mark.parametrize(
    ("levels", "said"), [((64, 36), True), ((61, 39), False)]
)  # 0.28 and 0.22 of the mean
def test_clocks_are_compared_where_the_load_varies_by_half(levels, said):
    """Load of two levels in turn, each 100 s: standard deviation over mean is half their difference."""
    at, step = 0, 100
    asked = pd.DataFrame(
        [(at + k * step, at + (k + 1) * step) for k in range(36) for _ in range(levels[k % 2])],
        columns=["start_us", "end_us"],
    ).mul(1_000_000).add(START_US).assign(weight=1.0)  # fmt: skip
    bins = START_US // 1_000_000 // BIN_S + np.arange(36 * step // BIN_S)
    watts = np.repeat([levels[k % 2] * 10.0 for k in range(36)], step // BIN_S)
    found = find_shift(asked, pd.DataFrame({"bin": bins, "watts": watts}), most_s=300)
    assert (found is not None) == said
    assert found is None or (found[0] == 0 and found[1] > 0.99)


def test_a_node_with_a_meter_at_the_wall_is_taken_as_whole_by_that_meter():
    """Also where its accelerators have meters beside it."""
    keys = pd.DataFrame({
        "node": ["a", "a", "b"], "scope": ["gpu", "node_wall", "gpu"], "device": ["0", "psu", "0"],
    })  # fmt: skip
    power = SimpleNamespace(
        meters=keys.assign(samples=60, usable=60, milliwatts=6_000_000),
        intervals=keys.assign(interval_us=1_000_000), gpu="",
    )  # fmt: skip
    told = taken_as_whole(pd.DataFrame({"idle_wh": [1.0]}), settings(), power, False, False, False)
    said = [row["what"] for row in told if " of node " in row["what"]]
    assert said[0] == "the power of node a: all that it takes from the wall (psu)"
    assert said[1].startswith("the accelerators of node b")
