"""Time the draws and summaries of the published analysis: ours, vectorised, against one prediction a row.

`python -m benchmarks.published_draws` from the repository root, after `dvc repro fit_published_throughput`.
Both make all queries of all models in both regimes of the variant v2; the loop, which calls a fitted model
once for every query, makes fewer and is scaled to the same number.
"""

import resource
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm

from pipeline.assumptions.load import load
from pipeline.assumptions.published import AsPublished, known
from pipeline.contracts.results import REGIMES
from pipeline.estimate.published_energy import energy_wh, output_length
from pipeline.estimate.published_sobol import estimate
from pipeline.fit.published_throughput import PREDICTORS, from_table, rows_of

LOOP_DRAWS = 200  # a model and regime
BYTES_PER_KB = 1024


def loop_seconds(published: AsPublished, throughput: pd.DataFrame, draws: int) -> float:
    """Seconds of a plain loop over queries: draw, predict with statsmodels, compute the energy."""
    base, rng = published.base, np.random.default_rng(0)
    fitted = {}
    for model in published.models:
        rows = rows_of(throughput, model)
        if model.throughput == "regression":
            design = sm.add_constant(np.log(rows[PREDICTORS].astype(float)), has_constant="add")
            fitted[model.name] = sm.OLS(np.log(rows["output_tokens_per_s"]), design).fit()
    started = time.perf_counter()
    for regime in REGIMES:
        for model in published.models:
            cap = rows_of(throughput, model)["output_tokens_per_s"].max()
            for _ in range(draws):
                length, utilisation, pue = (
                    float(distribution.ppf(rng.random(1))[0])
                    for distribution in (
                        output_length(base, regime),
                        base.power_utilisation.distribution,
                        base.pue.distribution,
                    )
                )
                rate = cap
                if model.name in fitted:
                    cell = pd.DataFrame({
                        "const": [1.0],
                        "input_tokens": [np.log(known(base.input_tokens))],
                        "output_tokens": [np.log(max(round(length), 1e-6))],
                    })  # fmt: skip
                    rate = min(float(np.exp(fitted[model.name].predict(cell).iloc[0])), cap)
                energy_wh(
                    pue=pue,
                    node_power_kw=known(getattr(base, model.node_power)),
                    utilisation=utilisation,
                    tokens=round(length),
                    tokens_per_s=rate,
                )
    return time.perf_counter() - started


def main() -> None:
    published, simulation = load("assumptions.as_published", "simulation")
    one = published.model_copy(update={"variants": {"v2": published.variants["v2"]}})
    fits = from_table(pd.read_parquet("build/as_published/throughput_fit.parquet"))
    throughput = pd.read_parquet("build/published/throughput.parquet")
    draws = simulation.replicates * simulation.draws_per_replicate

    started = time.perf_counter()
    estimate(one, fits, simulation)
    ours = time.perf_counter() - started
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_KB / 1e9
    loop = loop_seconds(published, throughput, LOOP_DRAWS)

    scaled = loop / LOOP_DRAWS * draws
    print(f"ours: {draws:,} draws a model, both regimes, with summaries: {ours:.1f} s, peak {peak_gb:.2f} GB")
    print(f"loop: {LOOP_DRAWS} draws a model, both regimes: {loop:.1f} s; as many as ours: {scaled:,.0f} s")
    print(f"ratio: {scaled / ours:,.0f}")


if __name__ == "__main__":
    main()
