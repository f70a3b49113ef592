"""The two commands for one's own deployment, run on the example files: what the last notebook shows."""

from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import run
from pipeline.core.files import write_csv, write_text
from pipeline.core.settings import load
from pipeline.core.user_table import read_user_table
from pipeline.logs.deployment import read_deployment
from pipeline.logs.engines import connect
from pipeline.logs.estimate import energy_from_logs
from pipeline.logs.gather import OWN
from pipeline.logs.report import as_json, page, report
from pipeline.logs.settings import Settings
from pipeline.predict import predictions

EXAMPLES = Path("data/examples")
CONFIGURATIONS = EXAMPLES / "configurations.csv"
LOGS = {"requests": "requests.csv", "power": "power.csv.gz"}
OUTPUT = Path("build/examples")


def main() -> None:
    """Predict the configurations, account for the logs, save."""
    logs, serving, *_ = load(  # the others are what `predictions` reads
        "logs", "serving", "lengths", "water", "simulation"
    )
    facts = read_deployment(EXAMPLES / "deployment.yaml")
    settings = replace(Settings.of(logs, given=facts), serving=serving)
    predicted = predictions(read_user_table(CONFIGURATIONS), CONFIGURATIONS)
    with connect(logs.engine, logs.memory_limit_mb) as engine:
        requests, power = (str(EXAMPLES / name) for name in LOGS.values())
        accounts = energy_from_logs(engine, requests, power, settings)

    write_csv(predicted, OUTPUT / "predictions.csv")
    for name in ("hours", "models", "account"):
        write_csv(getattr(accounts, name), OUTPUT / f"{name}.csv")
    files = [{"path": name, "log": log, "format": OWN} for log, name in LOGS.items()]
    content = report(accounts, files, [], show=not accounts.flags)
    write_text(page(content, accounts.timeline), OUTPUT / "report.html")
    write_text(as_json(content), OUTPUT / "report.json")


if __name__ == "__main__":
    run(main)
