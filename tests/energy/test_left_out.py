"""The band of a class holds models that it does not have: each large one left out in turn, as measured."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read, transcription
from pipeline.core.draws import generator
from pipeline.energy.model.cost_curves import ServingModel
from pipeline.energy.model.study import draw_cases, draw_samples, every_length, one_of
from pipeline.ingest.names import Names
from pipeline.ingest.sources import with_role
from pipeline.serving.model.costs import request_cost
from pipeline.serving.model.effects import STEP
from pipeline.serving.model.model import fit_prepared, read_model
from pipeline.serving.model.prepare import prepare
from pipeline.serving.model.training import training_rows
from tests.energy.study_parts import SERVERS, SETTINGS, SIMULATION, SMALL, TRAFFIC

LARGE = ("large mixture-of-experts", "large dense")
PROMPT = 100.0  # tokens of a prompt of a chat arena, which the rows do not state


def without(shape: str, names: Names, measurements: pd.DataFrame) -> ServingModel:
    """The model of serving, fitted to all rows but those of one shape of model."""
    whole, settings = read_model(), SETTINGS.serving
    rows = training_rows(measurements, read("token_length_histograms"), whole.tables, settings)
    seen = np.flatnonzero(rows["model"].map(names.resolve) != shape)
    prepared = prepare(rows, whole.tables, settings).take(seen)
    model = fit_prepared(prepared, rows.iloc[seen], whole.tables, settings, STEP, whole)

    def price(asked, samples, kept=None):
        rng = generator(SIMULATION.seed, "serving model")
        return request_cost(asked, model, settings, rng, samples, kept)

    return price


@pytest.mark.slow
def test_rows_of_a_model_left_out_lie_in_the_band_of_its_class() -> None:
    """Wh a request at the accelerators: answers as long as measured, and batches as services run.

    Neither the class nor the fit of the serving model has the model whose rows are looked for.
    """
    names, measurements = Names.of(transcription("published/models")), read("serving_measurements")
    rows = with_role(measurements, "chat").dropna(subset=["gpu_w", "concurrency"])
    shapes = rows["model"].map(names.resolve)
    samples = draw_samples(SETTINGS, SIMULATION, SMALL)
    lengths = every_length(SETTINGS, TRAFFIC)
    cases = draw_cases({("published", "short"): lengths["published", "short"]}, samples)
    inside = []
    for name in LARGE:
        members = SETTINGS.deployments.services[name]
        wanted = members[0].concurrency.distribution.ppf(samples.concurrency_uniforms)
        least, most = np.percentile(wanted * samples.utilisation, [5, 95])
        for left_out in members:
            shape = names.resolve(left_out.model)
            own = rows[(shapes == shape) & rows["concurrency"].between(least, most)]
            if own.empty:
                continue
            others, model = (
                [item for item in members if item is not left_out],
                without(shape, names, measurements),
            )
            (served,) = one_of(name, others, cases, samples, SERVERS, model, SETTINGS.deployments)
            for row in own.to_dict("records"):
                answer = np.array([[row["output_tokens"]]])
                wh = served.energy_wh("gpu", np.full_like(answer, PROMPT), answer)
                low, high = np.percentile(wh, [5, 95])
                inside.append(low <= row["wh_per_request"] <= high)
    assert len(inside) > 40
    assert np.mean(inside) >= 0.85, f"{np.mean(inside):.2f} of {len(inside)}"
