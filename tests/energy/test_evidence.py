"""Priors agree with the rows that they name: what is assumed of services is what is known of some."""

import fnmatch
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.core.assumption import Assumption, Section
from pipeline.core.catalogue import read, transcription
from pipeline.core.settings import from_params

ENERGY = from_params("energy")
LENGTHS, PRACTICE, PUE = (
    transcription(name).set_index("key") for name in ("service_lengths", "service_practice", "pue")
)
# The trace that shapes the lengths of each regime: its level is 1.
TRACES = {"short": "azure23_chat", "long": "servegen_reasoning"}


def with_evidence(item: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Assumption]]:
    """Path and assumption of all that name rows."""
    if isinstance(item, Assumption):
        if item.evidence:
            yield path, item
    elif isinstance(item, Section):
        for name, part in dict(item).items():
            yield from with_evidence(part, *path, name)


def rows_of(path: tuple[str, ...], assumption: Assumption) -> np.ndarray:
    """Values of the rows that an assumption names, as it states them; each has one."""
    if path[-1].endswith("_level"):
        column = path[-1].replace("level", "tokens")
        values = named(LENGTHS, assumption)[column]
        assert values.notna().all(), f"{path}: a row without {column}"
        return (values / LENGTHS.loc[TRACES[path[-2]], column]).to_numpy()
    if path[-1] in LENGTHS:  # stated outright, for agents
        return named(LENGTHS, assumption)[path[-1]].to_numpy()
    table = PUE if path[-1] == "pue" else PRACTICE
    return named(table, assumption)["value"].to_numpy()


def named(table: pd.DataFrame, assumption: Assumption) -> pd.DataFrame:
    """The rows whose keys an assumption names."""
    keys = [key for pattern in assumption.evidence for key in fnmatch.filter(table.index, pattern)]
    return table.loc[keys]


PRIORS = dict(with_evidence(ENERGY))


@pytest.mark.parametrize("path", PRIORS, ids=".".join)
def test_a_prior_holds_its_rows_and_its_median_is_among_them(path: tuple[str, ...]) -> None:
    rows = rows_of(path, PRIORS[path])
    low, middle, high = PRIORS[path].distribution.ppf(np.array([0.05, 0.5, 0.95]))
    assert np.mean((rows >= low) & (rows <= high)) >= 0.8
    assert np.quantile(rows, 0.25) <= middle <= np.quantile(rows, 0.75)


def test_what_moves_the_result_most_names_its_rows() -> None:
    named = {path[-1] for path in PRIORS}
    assert named >= {
        "input_level", "output_level", "level_correlation", "utilisation", "cached_share", "pue"
    }  # fmt: skip


def test_rows_of_one_quantity_make_one_prior() -> None:
    quantities = {
        "utilisation": "load kept", "reallocated_utilisation": "load reallocated",
        "cached_share": "cached share", "level_correlation": "level correlation",
    }  # fmt: skip
    for path, prior in PRIORS.items():
        if path[-1] in quantities:
            agent = "agent " if "agents" in path else ""
            assert set(named(PRACTICE, prior)["quantity"]) == {agent + quantities[path[-1]]}
        elif path[-1] != "pue":
            classes = {"short": {"chat"}, "long": {"reasoning"}, "agents": {"agent"}}
            assert set(named(LENGTHS, prior)["class"]) == classes[path[-2]]


def test_the_only_observed_fleet_is_inside_the_prior_for_its_own_model() -> None:
    """DeepSeek's lead over what we predict for one instance on either engine: no more than its P95."""
    rows = read("validation")
    rows = rows[(rows["set"] == "deepseek_fleet") & (rows["quantity"] == "output_tokens_per_s")]
    rows = rows[rows["configuration"].str.contains("8 H200")]
    lead = (rows["measured"] / rows["p50"]).to_numpy()
    low, high = ENERGY.practice.fleet_gain.distribution.ppf(np.array([0.05, 0.95]))
    assert low < lead.min()
    assert np.exp(np.log(lead).mean()) < 0.9 * high
