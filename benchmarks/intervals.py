"""Whether the intervals of the serving fit hold: known truth in, coverage out; and against a sampler.

`python -m benchmarks.intervals` draws true parameters of the step time from the prior, makes the measured
rows anew from them with the residual of the fit, fits, and counts how many truths lie in the 50 % and 90 %
intervals. Then it draws the posterior of the plain form by a random walk, without the approximation by a
normal distribution, and compares quantiles. Writes benchmarks/results/intervals.json and its section of
README.md.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.logs_report import put_section
from benchmarks.trust import README, RESULTS, Row
from pipeline.core.catalogue import read, transcription
from pipeline.core.files import write_json
from pipeline.core.settings import from_params
from pipeline.serving.model.effects import CONFIGURATION, PLAIN, STEP
from pipeline.serving.model.fitting import COEFFICIENT, Design, fit, parameters
from pipeline.serving.model.prepare import Prepared, as_run, make_tables, prepare
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.support import supported
from pipeline.serving.model.training import training_rows

Array = NDArray[np.float64]
Z50, Z90 = 0.6745, 1.6449
QUANTILES = (0.05, 0.5, 0.95)
SECTION = """## Do the intervals hold?

`python -m benchmarks.intervals`. Known truth in, coverage out: {worlds} worlds, true parameters of the step
time from their priors, {rows} measured configurations and loads, residuals as the fit takes them (t with few
degrees of freedom). Share of truths in the interval, aim 0.50 and 0.90:

{coverage}

The normal approximation of the posterior against a random walk ({steps:,} steps, acceptance {accepted:.2f})
on the plain form, {parameters} parameters, {plain_rows} rows: ends and middle of the intervals
differ by at most {worst:.2f} posterior standard deviations (median {median:.3f}).
"""


def measured(settings: Serving) -> Prepared:
    """The rows that the step time is fitted to."""
    tables = make_tables(transcription("published/models"), transcription("hardware"))
    rows = training_rows(read("serving_measurements"), read("token_length_histograms"), tables, settings)
    p = prepare(rows, tables, settings).take(np.flatnonzero(rows["in_step"].to_numpy(bool)))
    return as_run(p, supported(p))


def coverage(p: Prepared, settings: Serving, worlds: int, seed: int) -> list[Row]:
    """By kind of parameter, and for what the rows should take: shares of truths in their intervals."""
    table = parameters(STEP, p.rows, settings)
    design, rng = Design.of(STEP, table, p.rows), np.random.default_rng(seed)
    scale = np.full(len(p.rows), settings.residual_scale.distribution.median())
    freedom = settings.shape.values["student_df"]
    kind = np.where(
        table["effect"] == COEFFICIENT, "coefficients", "effects of engines, chips, models, laboratories"
    )
    kind = np.where(table["effect"] == CONFIGURATION, "effects of configurations", kind)
    found = []
    for _ in range(worlds):
        truth = table["prior_ln"].to_numpy() + table["prior_sd"].to_numpy() * rng.standard_normal(len(table))
        true_ln = np.log(design.parts(p.x, truth).sum(axis=1))
        posterior = fit(
            STEP, p.rows, p.x, true_ln + scale * rng.standard_t(freedom, len(scale)), scale, settings
        )
        covariance = posterior.covariance()
        parts = design.parts(p.x, posterior.mode)
        slope = design.jacobian(parts)
        spread = np.sqrt(np.asarray(slope.multiply(slope @ covariance).sum(axis=1)).ravel())
        z = np.r_[(truth - posterior.mode) / np.sqrt(np.diag(covariance)),
                  (true_ln - np.log(parts.sum(axis=1))) / spread]  # fmt: skip
        of = np.r_[kind, np.full(len(true_ln), "step time of the rows")]
        found.append(pd.DataFrame({"of": of, "in_50": np.abs(z) < Z50, "in_90": np.abs(z) < Z90}))
        print(found[-1].groupby("of").mean().round(3).to_string(header=len(found) == 1), flush=True)
    shares = (
        pd.concat(found)
        .groupby("of")
        .agg(n=("in_50", "size"), in_50=("in_50", "mean"), in_90=("in_90", "mean"))
    )
    return shares.round(3).reset_index().to_dict("records")


def against_sampler(p: Prepared, settings: Serving, steps: int, seed: int) -> Row:
    """Quantiles of the plain form's parameters by a random walk, beside those of the normal approximation."""
    table = parameters(PLAIN, p.rows, settings)
    design, rng = Design.of(PLAIN, table, p.rows), np.random.default_rng(seed)
    scale = np.full(len(p.rows), settings.residual_scale.distribution.median())
    freedom = settings.shape.values["student_df"]
    log_y = np.log(design.parts(p.x, table["prior_ln"].to_numpy()).sum(axis=1))
    log_y = log_y + scale * rng.standard_t(freedom, len(scale))
    posterior = fit(PLAIN, p.rows, p.x, log_y, scale, settings)
    mean, sd = table["prior_ln"].to_numpy(float), table["prior_sd"].to_numpy(float)

    def log_density(theta: Array) -> float:
        residual = log_y - np.log(design.parts(p.x, theta).sum(axis=1))
        misfit = 0.5 * (freedom + 1) * np.log1p((residual / scale) ** 2 / freedom).sum()
        return float(-misfit - 0.5 * (((theta - mean) / sd) ** 2).sum())

    covariance = posterior.covariance()
    root, width = np.linalg.cholesky(covariance), len(table)
    here, accepted, kept = posterior.mode, 0, np.empty((steps, width))
    value = log_density(here)
    for number in range(steps):
        trial = here + 2.38 / np.sqrt(width) * (root @ rng.standard_normal(width))
        new = log_density(trial)
        if np.log(rng.uniform()) < new - value:
            here, value, accepted = trial, new, accepted + 1
        kept[number] = here
    spread = np.sqrt(np.diag(covariance))
    normal = posterior.mode + np.outer([-Z90, 0.0, Z90], spread)
    off = np.abs(np.quantile(kept[steps // 10 :], QUANTILES, axis=0) - normal) / spread
    return {"steps": steps, "accepted": accepted / steps, "parameters": width, "plain_rows": len(p.rows),
            "worst": round(float(off.max()), 3), "median": round(float(np.median(off)), 4)}  # fmt: skip


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=100_000, help="of the random walk")
    parser.add_argument("--every", type=int, default=1, help="take each n-th row, for a try")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    settings = from_params("serving")
    p = measured(settings)
    p = p.take(np.arange(0, len(p.rows), given.every))
    few = p.take(np.arange(0, len(p.rows), max(1, len(p.rows) // 300)))
    sampler = against_sampler(few, settings, given.steps, given.seed)
    print(sampler, flush=True)
    rows = coverage(p, settings, given.worlds, given.seed)
    write_json(
        {"coverage": rows, "worlds": given.worlds, "rows": len(p.rows), **sampler},
        RESULTS / "intervals.json",
    )
    cells = [list(rows[0]), ["---"] * len(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    shown = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    text = SECTION.format(worlds=given.worlds, rows=len(p.rows), coverage=shown, **sampler)
    put_section("intervals", "benchmarks/intervals.py", text, README)
    return 0


if __name__ == "__main__":
    sys.exit(main())
