"""The two commands for one's own deployment, run on the example files: what the last notebook shows.

Inputs: data/examples/, data/published/{models,hardware,sites,pue,wue,electricity_water}.csv,
data/results/serving_model/ and data/results/{node_power_fits,token_weights}.csv.
Outputs: build/examples/{predictions,hours,models,account}.csv. Settings: logs, simulation,
assumptions.water, assumptions.re_estimate.{serving,pue}.
"""

from pathlib import Path

from pipeline.assumptions import load
from pipeline.contracts.read import read_cells
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.logs.engines import connect
from pipeline.logs.estimate import energy_from_logs
from pipeline.logs.settings import Settings
from pipeline.predict import predictions

EXAMPLES = Path("data/examples")
CONFIGURATIONS = EXAMPLES / "configurations.csv"
OUTPUT = Path("build/examples")


def main() -> None:
    """Predict the configurations, account for the logs, save."""
    logs, *_ = load(  # the others are what `predictions` reads
        "logs",
        "assumptions.re_estimate.serving",
        "assumptions.water",
        "simulation",
    )
    predicted = predictions(read_cells(CONFIGURATIONS), CONFIGURATIONS)
    with connect(logs.engine, logs.memory_limit_mb) as engine:
        requests, power = (str(EXAMPLES / name) for name in ("requests.csv", "power.csv.gz"))
        accounts = energy_from_logs(engine, requests, power, Settings.of(logs))

    write_csv(predicted, OUTPUT / "predictions.csv")
    for name in ("hours", "models", "account"):
        write_csv(getattr(accounts, name), OUTPUT / f"{name}.csv")


if __name__ == "__main__":
    run(main)
