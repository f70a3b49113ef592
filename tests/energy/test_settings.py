from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.assumption import Beta, LogNormal
from pipeline.core.errors import InputError
from pipeline.core.settings import PARAMS, from_params

SECTION = from_params("energy")


def test_the_pue_is_never_below_one_and_covers_the_published_sites() -> None:
    sites = pd.read_csv("data/published/pue.csv")
    sites = sites[sites["key"].str.startswith(("azfact_", "aws24_", "google24_", "google25_"))]["value"]
    values = SECTION.pue.distribution.ppf(np.array([1e-9, 0.05, 0.5, 0.95]))
    assert values[0] > 1
    assert values[1] == pytest.approx(sites.quantile(0.05), abs=0.03)
    assert values[2] == pytest.approx(sites.median(), abs=0.03)
    assert values[3] == pytest.approx(sites.quantile(0.95), abs=0.06)


def test_utilisation_spans_the_evidence() -> None:
    evidence = pd.read_csv("data/results/load_evidence.csv")
    demand = evidence[~evidence["note"].str.startswith("no load")]["mean_over_peak"]
    low, high = SECTION.load.utilisation.distribution.ppf(np.array([0.02, 0.98]))
    assert low < demand.min()
    assert high > demand.max()


def test_beta_has_its_mean_and_bounds() -> None:
    beta = Beta(family="beta", alpha=4, beta=3)
    p = (np.arange(10000) + 0.5) / 10000
    values = beta.ppf(p)
    assert values.mean() == pytest.approx(4 / 7, abs=1e-4)
    assert values.min() > 0
    assert values.max() < 1


def test_a_lognormal_above_a_bound_keeps_its_percentiles() -> None:
    shifted = LogNormal(family="lognormal", p5=1.06, p95=1.36, above=1)
    assert shifted.ppf(np.array([0.05, 0.95])) == pytest.approx([1.06, 1.36], rel=1e-4)
    with pytest.raises(ValueError, match="above"):
        LogNormal(family="lognormal", p5=0.9, p95=1.4, above=1)


def test_a_wrong_unit_is_refused_with_its_key(tmp_path: Path) -> None:
    text = PARAMS.read_text().replace("unit: correlation", "unit: fraction")
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="unmeasured_correlation"):
        from_params("energy", path=path)
