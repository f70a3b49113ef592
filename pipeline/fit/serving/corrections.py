"""What the own rows of a measured configuration say beyond the model, at the batch of each row."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.assumptions.serving import Serving
from pipeline.fit.serving import anchors as A
from pipeline.fit.serving import terms as T
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.model import ServingModel, anchor_keys
from pipeline.fit.serving.prepare import Prepared
from pipeline.fit.serving.steps import step_seconds
from pipeline.fit.serving.training import age_share

FASTEST = 0.4  # a measured configuration takes at least this share of the modelled step
ANCHOR_CV = 0.95  # of output lengths in the chat rows behind the anchors
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Correction:
    """What own rows say: factors on step and power, their sd in ln, share of the step beyond them; (n,)."""

    step: Array
    step_sd: Array
    power: Array
    power_sd: Array
    beyond: Array


def corrections(
    model: ServingModel, p: Prepared, z: sp.csr_matrix, anchored: Bool, settings: Serving
) -> Correction:
    """Smooth residuals of measured configurations at the batch of each row; neutral elsewhere."""
    n = len(p.rows)
    out = Correction(np.ones(n), np.zeros(n), np.ones(n), np.zeros(n), np.zeros(n))
    if not anchored.any():
        return out
    keys, of_anchors = anchor_keys(p.rows), anchor_keys(model.anchors)
    theta = model.steps.theta
    usual = model.anchors.groupby(of_anchors)["output_tokens"].mean()
    chat = replace(
        p.load,
        input_tokens=np.full(n, settings.chat_input_tokens.distribution.median()),
        output_tokens=pd.Series(keys).map(usual).fillna(1.0).to_numpy(float),
        output_cv=np.full(n, ANCHOR_CV),
        age_share=age_share(p.load.concurrency),
    )
    now = step_seconds(z, theta, p.x)
    then = step_seconds(z, theta, T.terms(p.arch, chat, p.chip))
    log_batch = np.log(p.load.concurrency)
    for key in sorted(set(keys[anchored])):
        at = np.flatnonzero((keys == key) & anchored)
        own = model.anchors[of_anchors == key]
        batch = np.log(own["concurrency"].to_numpy(float))
        mean, sd = A.smooth(batch, own["step_residual_ln"].to_numpy(float), log_batch[at], A.STEP_KERNEL)
        out.step[at] = np.maximum(1 + then[at] * np.expm1(mean) / now[at], FASTEST)
        out.step_sd[at] = sd * then[at] / np.maximum(now[at], then[at])
        out.beyond[at] = np.clip(1 - then[at] / now[at], 0, 1)
        mean, sd = A.smooth(batch, own["power_residual_ln"].to_numpy(float), log_batch[at], A.POWER_KERNEL)
        out.power[at], out.power_sd[at] = np.exp(mean), sd
    return out
