"""The generator: what it says of itself, and that the committed example is what it gives."""

import gzip

from pytest import approx

from benchmarks.synthetic import Load, node_logs, write_example
from tests.logs.conftest import ROOT, estimate


def test_a_node_has_the_same_logs_however_many_nodes_there_are():
    few, many = (node_logs(Load(nodes=n, minutes=10), 1) for n in (2, 9))
    assert few.requests.equals(many.requests)
    assert few.power.equals(many.power)


def test_power_holds_the_energy_that_the_truth_says():
    logs = node_logs(Load(nodes=1, minutes=30), 0)
    assert logs.power["watts"].sum() / 3600 == approx(logs.truth["node_wh"].sum() + logs.idle_wh.sum())


def test_the_committed_example_is_what_the_generator_gives(tmp_path):
    committed = ROOT / "data" / "examples"
    write_example(tmp_path)
    assert (tmp_path / "requests.csv").read_bytes() == (committed / "requests.csv").read_bytes()
    made, kept = (gzip.decompress((folder / "power.csv.gz").read_bytes()) for folder in (tmp_path, committed))
    assert made == kept
    result = estimate(committed / "requests.csv", committed / "power.csv.gz")
    assert result.models["queries"].sum() == 44
