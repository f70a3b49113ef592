"""Predict measured rows that the fit did not see, compare with alternatives, take apart what varies."""

from pathlib import Path

from pipeline.core.catalogue import read, write
from pipeline.core.errors import run
from pipeline.core.files import write_parquet
from pipeline.core.processes import pool
from pipeline.core.settings import load
from pipeline.ingest.sources import with_role
from pipeline.serving.model.comparison import compare, select, with_alternatives
from pipeline.serving.model.held_out import calibration_curve, chosen, held_out
from pipeline.serving.model.laboratories import (
    basis_errors,
    laboratories,
    variance_components,
)
from pipeline.serving.model.model import read_model
from pipeline.serving.model.training import training_rows

CANDIDATES = Path("build/serving/candidates.parquet")
SHOWN = ("chat", "saturated")  # checks whose rows are kept one by one


def main() -> None:
    """Refit by folds, predict, score."""
    settings, simulation = load("serving", "simulation")
    measurements = read("serving_measurements")
    model = read_model()
    training = training_rows(measurements, read("token_length_histograms"), model.tables, settings)

    with pool(1) as beside:
        components = beside.submit(variance_components, training, model.tables, settings)
        predictions, curves = held_out(training, model, settings, simulation.seed)
    candidates = with_alternatives(predictions, training, model.tables, settings)
    shown = {key for check in SHOWN for key in with_role(measurements, check)["key"]}
    kept = candidates["form"].map(chosen) & candidates["key"].isin(shown)

    write_parquet(candidates, CANDIDATES)
    write("heldout_predictions", candidates[kept & (candidates["left_out"] == "model")])
    write("model_comparison", compare(candidates))
    write("model_selection", select(candidates))
    write("serving_laboratories", laboratories(model, training, predictions))
    write("variance_components", components.result())
    write("calibration_curve", calibration_curve(curves))
    write("basis_errors", basis_errors(predictions))


if __name__ == "__main__":
    run(main)
