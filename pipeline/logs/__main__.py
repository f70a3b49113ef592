"""Energy, water and idle energy per query from logs: `python -m pipeline.logs REQUESTS POWER -o OUT`.

Inputs: a log of requests and a log of power (Parquet, CSV or JSON lines, text also as .gz; a file, a folder
of them, or an address that only the engine can reach). Outputs in OUT: hours.csv, models.csv, account.csv.
Settings: section `logs` of params.yaml; weights of input tokens: data/results/token_weights.csv.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from pipeline.assumptions.load import PARAMS, load
from pipeline.errors import InputError, run
from pipeline.files import writable_folder, write_csv
from pipeline.logs.engines import connect
from pipeline.logs.estimate import EnergyFromLogs, energy_from_logs
from pipeline.logs.settings import Settings
from pipeline.logs.weights import TABLE, read_weights

TABLES = ("hours", "models", "account")


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.logs", description=__doc__)
    parser.add_argument("requests", help="log of requests")
    parser.add_argument("power", help="log of power")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--engine", help="duckdb, local[*], spark://host:port or sc://host:port")
    parser.add_argument("--weights", type=Path, default=TABLE, help="of input tokens (default: %(default)s)")
    parser.add_argument("--params", type=Path, default=PARAMS, help="settings (default: %(default)s)")
    return parser.parse_args(words)


def write_tables(result: EnergyFromLogs, out: Path, there: Path) -> None:
    """All tables or none: each is written whole beside `out` before the first one is put in place."""
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".perquery-") as staged:
            for name in TABLES:
                write_csv(getattr(result, name), Path(staged) / f"{name}.csv")
            out.mkdir(parents=True, exist_ok=True)
            for name in TABLES:
                (Path(staged) / f"{name}.csv").replace(out / f"{name}.csv")
    except (OSError, InputError) as error:
        reason = getattr(error.__cause__ or error, "strerror", None) or error
        raise InputError(f"{out}: the results cannot be written ({reason})") from error


def main() -> None:
    """Read the logs, estimate, write three tables."""
    given = arguments(sys.argv[1:])
    folder = writable_folder(given.out)
    logs = load("logs", path=given.params)
    with connect(given.engine or logs.engine, logs.memory_limit_mb) as engine:
        settings = Settings.of(logs, read_weights(logs, given.weights))
        result = energy_from_logs(engine, given.requests, given.power, settings)
    write_tables(result, given.out, folder)
    print(result.account.to_string(index=False, na_rep=""), "\n\nAn input token counts as")
    for row in result.models.to_dict("records"):
        print(f"{row['weight_input']:g} output tokens, {row['weight_basis']}: {row['model']}")


if __name__ == "__main__":
    run(main)
