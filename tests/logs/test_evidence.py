"""What samples alone show of their meters: refused, flagged, or left alone. No engine runs here."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.logs.evidence import METER, read_evidence
from pipeline.logs.meters import _gaps
from tests.logs.conftest import params
from tests.logs.situations import IDLE_W, service

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
    ],
)
def test_numbers_of_cards_that_are_not_there_are_noticed(labels, gpu, missing):
    found = _gaps("n", [f"gpu{label}" for label in labels], gpu)
    assert bool(found) == bool(missing)
    assert missing in "".join(found)
