"""From the published energy per query to ours, one change at a time; each step keeps those before it.

The first two rows are the published analysis itself (data/results/energy_per_query.csv); the last two are
the re-estimate with published and with production lengths. In between, its parts replace the published ones
on the same samples and queries. The order is from what the published analysis left out to what it assumed
otherwise; another order would divide the change differently.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special

from pipeline.core.columns import BLEND, REGIMES, Regime
from pipeline.core.read import row_where
from pipeline.core.summaries import with_errors
from pipeline.core.units import SECONDS_PER_HOUR, WATTS_PER_KW, Array
from pipeline.energy.model.contract import BEYOND, START, WITHIN
from pipeline.energy.model.cost_curves import Terms
from pipeline.energy.model.query_energy import Served
from pipeline.energy.model.study import Case, Study
from pipeline.published.model.energy import COEFFICIENTS, ThroughputFit
from pipeline.published.model.settings import AsPublished, known

ERRORS = 2  # Monte Carlo errors within which a step is none
PUBLISHED, UNTRIMMED = "v2", "v2_untrimmed"
STEPS = {
    "published": "as printed: draws cut twice before the blend",
    "no trimming": "all draws kept",
    "error of the throughput fit": "each model's 90 % prediction interval, the same for all its queries",
    "server that holds the model": "DeepSeek-R1 on eight H200, where its row was measured, not ten H100",
    "throughput model": "seconds of a request from the serving model, with as many in flight as memory holds",
    "assumed concurrency": "as many requests in flight as services are assumed to be configured for",
    "power from the load": "server power that goes with that throughput, not a share of rated power",
    "part load": "smaller batches and idle servers at production's mean load",
    "prefix caching": "part of the input read from a cache and not computed, as services do",
    "pue": "sites that serve models today: the re-estimate with the published lengths",
    "lengths": "prompts and answers as in production traces: the re-estimate",
}


def bridge(
    study: Study, published: AsPublished, fits: Mapping[str, ThroughputFit], energy: pd.DataFrame
) -> pd.DataFrame:
    """BRIDGE in both regimes; `energy` has the rows of the published analysis (ENERGY_PER_QUERY)."""
    rows = []
    for regime in REGIMES:
        before: dict[str, float] = {}
        for step, (name, values) in enumerate(_values(study, published, fits, energy, regime)):
            change: dict[str, float | str] = {
                f"{key}_ratio": values[key] / before[key] if before else 1.0
                for key in ("median_wh", "mean_wh")
            }
            change |= {f"{what}_step": kind(before, values, f"{what}_wh") for what in ("median", "mean")}
            keys = {"regime": regime, "subject": BLEND, "step": step, "name": name, "change": STEPS[name]}
            rows.append({**keys, **values, **change})
            before = values
    return pd.DataFrame(rows)


def kind(before: Mapping[str, float], after: Mapping[str, float], key: str) -> str:
    """Which of BRIDGE_STEPS a step is.

    The errors of both ends count as independent. Where both rest on the same samples the step is known better
    than that, so what is called a change is one.
    """
    if not before:
        return START
    error = np.hypot(before[f"mc_error_{key}"], after[f"mc_error_{key}"])
    return BEYOND if abs(after[key] - before[key]) > ERRORS * error else WITHIN


def _values(
    study: Study,
    published: AsPublished,
    fits: Mapping[str, ThroughputFit],
    energy: pd.DataFrame,
    regime: Regime,
) -> Iterator[tuple[str, dict[str, float]]]:
    """Median and mean over all queries of all samples after each step, with Monte Carlo errors."""
    yield "published", _from_results(energy, PUBLISHED, regime)
    yield "no trimming", _from_results(energy, UNTRIMMED, regime)
    cases = {case.scenario: case for case in study.cases if case.regime == regime}
    recipe = Recipe(study, published, fits, cases["published"])
    yield "error of the throughput fit", recipe.summary(recipe.regression(ten_gpus=True))
    yield "server that holds the model", recipe.summary(recipe.regression(ten_gpus=False))
    yield "throughput model", recipe.summary(recipe.serving(saturated=True))
    yield "assumed concurrency", recipe.summary(recipe.serving(saturated=False))
    yield "power from the load", recipe.summary(recipe.ours(full_load=True, cached=False, published_pue=True))
    yield "part load", recipe.summary(recipe.ours(full_load=False, cached=False, published_pue=True))
    yield "prefix caching", recipe.summary(recipe.ours(full_load=False, published_pue=True))
    yield "pue", recipe.summary(recipe.ours(full_load=False, published_pue=False))
    last = Recipe(study, published, fits, cases["production"])
    yield "lengths", last.summary(last.ours(full_load=False, published_pue=False))


def _from_results(energy: pd.DataFrame, variant: str, regime: Regime) -> dict[str, float]:
    row = row_where(energy, analysis="as_published", variant=variant, regime=regime, subject=BLEND)
    return {
        "median_wh": row["p50_wh"],
        "mean_wh": row["mean_wh"],
        "mc_error_median_wh": row["mc_error_p50_wh"],
        "mc_error_mean_wh": row["mc_error_mean_wh"],
    }


class Recipe:
    """Energies of the blend's members, (n, inner) each, with more and more published parts replaced."""

    def __init__(
        self, study: Study, published: AsPublished, fits: Mapping[str, ThroughputFit], case: Case
    ) -> None:
        self._study, self._base, self._fits, self._case = study, published.base, fits, case
        self._node_power = {model.name: model.node_power for model in published.models}
        design = study.samples.design
        self._pue = design.draw("published PUE", self._base.pue.distribution)[:, None]
        utilisation = self._base.power_utilisation.distribution
        self._utilisation = design.draw("published utilisation", utilisation)[:, None]
        self._normals = {
            name: special.ndtri(design.uniforms(f"throughput fit, {name}"))[:, None] for name in fits
        }

    def summary(self, members: list[Array]) -> dict[str, float]:
        """Median and mean of the blend over everything, with Monte Carlo errors."""
        blend = np.concatenate([item.reshape(self._study.samples.replicates, -1) for item in members], axis=1)
        return with_errors({"median_wh": np.median(blend, axis=1), "mean_wh": blend.mean(axis=1)})

    def regression(self, *, ten_gpus: bool) -> list[Array]:
        """The published recipe with the error of its fit; R1 on ten accelerators or on eight."""
        tokens = self._case.queries.output_tokens
        found = []
        for item in self._study.members():
            fit = self._fits[item.model]
            rate = fit.tokens_per_s(known(self._base.input_tokens), tokens)
            rate = rate * np.exp(self._spread(item.model) * self._normals[item.model])
            power = self._node_power[item.model] if ten_gpus else "node_power_8xh100"
            found.append(self._rated_wh(tokens / rate, known(getattr(self._base, power))))
        return found

    def serving(self, *, saturated: bool) -> list[Array]:
        """Seconds from the serving model at full load or with memory full; power and PUE as published."""
        queries = self._case.queries
        power = known(self._base.node_power_8xh100)
        full = self._served(full_load=True)
        terms = self._saturated() if saturated else [served.terms for served in full]
        return [
            self._rated_wh(item.seconds(queries.input_tokens, queries.output_tokens), power) for item in terms
        ]

    def ours(self, *, full_load: bool, published_pue: bool, cached: bool = True) -> list[Array]:
        """The re-estimate, where stated at full load, with the published PUE or without caching."""
        queries = self._case.queries if cached else replace(self._case.queries, cached_share=0.0)
        factor = self._pue / self._study.samples.pue[:, None] if published_pue else 1.0
        return [
            served.queries_wh("facility", queries) * factor for served in self._served(full_load=full_load)
        ]

    def _served(self, *, full_load: bool) -> list[Served]:
        at = self._study.conditions(self._case.moments.context_tokens)
        if full_load:
            at = replace(at, utilisation=np.ones_like(at.utilisation))
        return [self._study.serve(item, self._case, at) for item in self._study.members()]

    def _saturated(self) -> list[Terms]:
        """Of each member in every sample, with as many requests in flight as its memory holds."""
        every = np.arange(len(self._study.samples))
        curves = [self._study.curve(item, self._case) for item in self._study.members()]
        most = np.full(len(every), np.inf)
        context = self._case.moments.context_tokens
        return [curve.at(curve.configured(most, context, every), every) for curve in curves]

    def _rated_wh(self, seconds: Array, node_power_kw: float) -> Array:
        watts = self._pue * self._utilisation * node_power_kw * WATTS_PER_KW
        return np.asarray(watts * seconds / SECONDS_PER_HOUR)

    def _spread(self, model: str) -> float:
        """Standard deviation of ln throughput behind the fit's prediction interval.

        Taken as normal: the mean energy under Student's t does not exist. A fit without a degree of freedom
        (exact, or one row) gets the mean of the others, since nothing else is known of it.
        """
        known_fits = {name: fit for name, fit in self._fits.items() if np.isfinite(fit.pi90_factor_short)}
        chosen = [known_fits[model]] if model in known_fits else list(known_fits.values())
        return float(np.mean([_prediction_sd(fit, self._case.regime) for fit in chosen]))


def _prediction_sd(fit: ThroughputFit, regime: Regime) -> float:
    factor = fit.pi90_factor_short if regime == "short" else fit.pi90_factor_long
    freedom = fit.rows - len(COEFFICIENTS)
    return float(np.log(factor) / special.stdtrit(freedom, 0.95))
