"""What laboratories, versions, models and configurations differ by, and what labels of a prediction say."""

import warnings

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

from pipeline.serving.model.contract import BASIS_ERRORS, COMPONENTS, LABORATORIES
from pipeline.serving.model.effects import PLAIN, step_prior
from pipeline.serving.model.fitting import Design
from pipeline.serving.model.held_out import FORMS, RATE, STEP_MODEL, chosen, scores
from pipeline.serving.model.model import ServingModel, fit_model
from pipeline.serving.model.prepare import Tables, prepare
from pipeline.serving.model.settings import BASES, Serving

Z90 = 2 * 1.6448536
TOLD = 3  # measurements of one's own that text and figures speak of
MEANINGS = {
    "laboratory": "the same service measured by another team: its protocol, settings, load generator",
    "version": "the same engine a quarter of a year apart",
    "model": "a model beside what its shape says",
    "chip": "a chip beside its rated speeds",
    "configuration": "one pairing of engine, model, chip, count and precision beside all of these",
    "rest": "batch and lengths within one configuration, and repetition",
}
PRIORS = {"configuration": ["pairing", "configuration"]}  # of what MixedLM cannot tell apart in these cells
COLUMNS_OF = {
    "version": "version", "model": "model_level", "chip": "gpu", "configuration": "configuration",
}  # fmt: skip


def laboratories(model: ServingModel, training: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """LABORATORIES; predictions: HELD_OUT."""
    timed = training[training["in_step"]]
    at = model.step.positions("laboratory")
    spread = np.sqrt((model.step.root[at.to_numpy()] ** 2).sum(axis=1))
    left_out = predictions[
        (predictions["left_out"] == "laboratory")
        & (predictions["form"] == STEP_MODEL)
        & (predictions["quantity"] == RATE)
    ]
    scored = scores(left_out, ["laboratory"]).set_index("laboratory").loc[at.index]
    middle = model.step.mode[at.to_numpy()]
    found = pd.DataFrame(
        {
            "laboratory": at.index,
            "n": timed.groupby("laboratory").size().loc[at.index].to_numpy("int64"),
            "first_year": timed.groupby("laboratory")["engine_year"].min().loc[at.index].to_numpy(),
            "last_year": timed.groupby("laboratory")["engine_year"].max().loc[at.index].to_numpy(),
            "step_factor": np.exp(middle),
            "step_factor_low": np.exp(middle - Z90 / 2 * spread),
            "step_factor_high": np.exp(middle + Z90 / 2 * spread),
            "left_out_bias_ln": scored["bias_ln"].to_numpy(),
            "left_out_median_abs_ln_error": scored["median_abs_ln_error"].to_numpy(),
            "left_out_coverage_90": scored["coverage_90"].to_numpy(),
        }
    )
    return found[list(LABORATORIES.columns)].sort_values("laboratory", ignore_index=True)


def variance_components(training: pd.DataFrame, tables: Tables, settings: Serving) -> pd.DataFrame:
    """COMPONENTS: crossed effects in the residuals of the plain form, restricted maximum likelihood.

    Cells of one configuration in one laboratory are averaged within a factor of about three in batch, so that
    tables of many rows do not decide alone; static batches of old engines are left out.
    """
    timed = training[training["in_step"] & (training["load"] != "static")]
    plain = fit_model(training, tables, settings, PLAIN)
    p = prepare(timed, tables, settings)
    design = Design.of(PLAIN, plain.step.table, p.rows)
    mode = plain.step.mode.copy()
    mode[plain.step.positions("laboratory").to_numpy()] = 0.0  # part of what is to be taken apart
    residual = np.log(p.load.concurrency / timed[RATE].to_numpy(float)) - np.log(
        design.parts(p.x, mode).sum(axis=1)
    )
    keys = ["laboratory", *COLUMNS_OF.values()]
    table = p.rows[keys].assign(residual=residual, band=np.round(np.log(p.load.concurrency)))
    cells = table.groupby([*keys, "band"], as_index=False)["residual"].mean()
    formulas = {name: f"0 + C({column})" for name, column in COLUMNS_OF.items()}
    formulas["laboratory"] = "0 + C(laboratory)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a component at its bound is an answer
        fitted = MixedLM.from_formula(
            "residual ~ 1", cells, groups=np.ones(len(cells)), vc_formula=formulas
        ).fit(reml=True, method="powell")  # others stop before the maximum, elsewhere on each processor
    names = fitted.model.exog_vc.names
    variance = dict(zip(names, fitted.vcomp, strict=True)) | {"rest": fitted.scale}
    levels = {name: cells[column].nunique() for name, column in COLUMNS_OF.items()}
    levels |= {"laboratory": cells["laboratory"].nunique(), "rest": len(cells)}
    rows = [
        {
            "component": name,
            "levels": levels[name],
            "sd_ln": float(np.sqrt(variance[name])),
            "prior_sd_ln": float(
                np.linalg.norm([step_prior(settings, one)[1] for one in PRIORS.get(name, [name])])
            ),
            "ratio_90": float(np.exp(Z90 * np.sqrt(variance[name]))),
            "meaning": meaning,
        }
        for name, meaning in MEANINGS.items()
    ]
    return pd.DataFrame(rows)[list(COMPONENTS.columns)]


def basis_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """BASIS_ERRORS over all that was left out of the chosen form; predictions: HELD_OUT."""
    ours = predictions[predictions["form"].map(chosen) & predictions["basis"].notna()]
    found = scores(ours, ["quantity", "basis"])
    order = {name: number for number, name in enumerate(BASES)}
    found = found.sort_values(["quantity", "basis"], key=lambda s: s.map(order).fillna(0), kind="stable")
    return found.sort_values("quantity", kind="stable", ignore_index=True)[list(BASIS_ERRORS.columns)]


def known_to(model_selection: pd.DataFrame, calibration_curve: pd.DataFrame) -> tuple[float, float]:
    """Factor either way of the 90 % interval of tokens/s: of unknown laboratories, and after TOLD rows."""
    one = model_selection["form"].eq(FORMS[RATE]) & model_selection["quantity"].eq(RATE)
    chosen = model_selection[one & model_selection["left_out"].eq("laboratory")]
    half = np.log(chosen["p95_over_p5"].item()) / 2
    narrower = calibration_curve.set_index("own_rows").loc[TOLD, "width_ratio"]
    return float(np.exp(half)), float(np.exp(half * narrower))
