"""Estimate throughput, power, energy, water and carbon per query of any serving configuration.

    python -m pipeline.predict configurations.csv -o predictions.csv

The table may be CSV (separated by commas, semicolons, tabs or bars, with decimal commas where they separate
nothing), a spreadsheet, Parquet or JSON lines. Its columns, of which gpu and concurrency are needed:

{inputs}

Columns of one's own (a note, a price) are carried through; the command says which.

The output, CSV, has one row for each of the table, in its order: its columns, then the 5th, 50th and 95th
percentiles (_p5, _p50, _p95) of

{quantities}

and

{said}

With --measured the model first takes in measurements of one's own, even one: a table of the same columns and
any of

{measured}

What they say of the laboratory, the engine and the configuration holds for every row without `laboratory`.

With a column compare_to each quantity has _ratio_p5, _ratio_p50 and _ratio_p95 as well: this row's value over
that of the other one, in the same epistemic samples. Rows are counted as in the file: the header of a CSV
is row 1.

A row that is wrong or cannot run has no numbers, but a status and a message; the exit status is then 3, and
with --strict nothing is written. A wrong column or file stops with one message and exit status 1.
"""

import argparse
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pandas as pd

from pipeline.core.errors import InputError, run
from pipeline.core.files import writable_folder, write_csv
from pipeline.core.read import read_checked
from pipeline.core.settings import from_params
from pipeline.core.user_table import NOTES, read_user_table
from pipeline.deployment.model.answer import World
from pipeline.deployment.model.contract import INPUTS, MEASURED, OK, QUANTITIES, SAID
from pipeline.deployment.model.measured import calibrated
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import Known
from pipeline.ingest.chips import Chips
from pipeline.ingest.names import Names
from pipeline.lengths.model.scenario import median_service
from pipeline.lengths.model.settings import Lengths
from pipeline.servers.model.power import from_table
from pipeline.serving.model.model import read_model
from pipeline.water.model.sites import SITE_TABLES, Sites, site_factors

PUBLISHED = Path("data/published")
FACTS = {
    "published/models": PUBLISHED / "models.csv",
    "engines": Path("data/telemetry/engines.csv"),
    **{name: Path(f"data/results/{name}.csv") for name in ("length_fits", "node_power_fits")},
    **{name: PUBLISHED / f"{name}.csv" for name in ("hardware", "cloud_instances", *SITE_TABLES)},
}
NOT_ALL = 3  # exit status where a row has no prediction
FEW = 10  # messages on the terminal; all are in the output


def predictor() -> Predictor:
    """With the fitted model and the assumptions of params.yaml; raises InputError where they are missing."""
    settings, lengths, water, simulation = from_params("serving", "lengths", "water", "simulation")
    facts = {name: read_checked(path) for name, path in FACTS.items()}
    try:
        sites = Sites.of(water, site_factors(facts))
        model = read_model()
        known = _known(facts, lengths, [water.headline, *water.scenarios])
        known = replace(known, laboratories=list(model.step.positions("laboratory").index))
        servers = from_table(facts["node_power_fits"], facts["hardware"])
    except (KeyError, TypeError, ValueError):  # somebody changed a table, and no stage has read it since
        check_facts()
        raise
    world = World(model, servers, settings, sites, simulation.seed)
    return Predictor(known, world)


def check_facts() -> None:
    """Raise InputError for a table of facts that breaks its contract."""
    from pipeline.core.catalogue import find
    from pipeline.core.read import read_table

    for name, path in FACTS.items():
        read_table(path, find(name).contract)


def _known(facts: dict[str, pd.DataFrame], lengths: Lengths, scenarios: list[str]) -> Known:
    return Known(
        names=Names.of(facts["published/models"]),
        chips=Chips(facts["hardware"], facts["cloud_instances"]),
        models=facts["published/models"].set_index("model"),
        hardware=facts["hardware"].set_index("gpu"),
        releases={
            (engine, str(version)): date
            for engine, version, date in facts["engines"][["engine", "engine_version", "released"]].to_numpy()
        },
        scenarios=list(dict.fromkeys(scenarios)),
        lengths=median_service(lengths, facts["length_fits"]),
    )


def predictions(
    table: pd.DataFrame, path: Path | str = "configurations", measured: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What deployments do: throughput, power, energy, water and carbon, each with P5, P50 and P95.

    Parameters
    ----------
    table : text or numbers in the columns of INPUTS (deployment/model/contract.py); gpu and concurrency at
        least.
    path : named in messages.
    measured : measurements of one's own, in the same columns; the model is calibrated on them.

    Returns
    -------
    The table's columns, then what is predicted, units in the names of columns; a wrong row gets a status
    and a message.

    Raises
    ------
    InputError
        Naming `path` for wrong columns.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"model": "Llama 3.1 70B", "gpu": "8xH100", "precision": "fp8", "concurrency": 32}
    >>> predictions(pd.DataFrame([row]))["status"].item()
    'ok'
    """
    tool = predictor()
    return (tool if measured is None else calibrated(tool, measured)).predict(table, path)


def main() -> None:
    """Read, predict, write."""
    arguments = _arguments()
    output = arguments.output
    if output.is_dir():
        raise InputError(f"{output}: a folder, expected the name of a file to write")
    if output.suffix.lower() not in ("", ".csv", ".txt"):
        raise InputError(f"{output}: expected a name that ends in .csv, which is what is written")
    writable_folder(output.parent)
    pd.set_option("mode.string_storage", "python")  # faster than Arrow's where there are hundreds of texts
    path = arguments.configurations
    table = read_user_table(path)
    tool = predictor()
    if arguments.measured:
        tool = calibrated(tool, read_user_table(arguments.measured), arguments.measured)
    found = tool.predict(table, path)
    own = [str(name) for name in table if name not in INPUTS]
    notes = [*table.attrs[NOTES], *([f"carried through, not used: {', '.join(own)}"] if own else [])]
    for note in notes:
        print(f"{path}: {note}", file=sys.stderr)
    wrong = (found["status"] != OK).to_numpy()
    messages = zip(table.index[wrong], found.loc[wrong, "message"], strict=True)
    for row, message in islice(messages, FEW):
        print(f"{path}, row {row}: {message}", file=sys.stderr)
    if wrong.any():
        where = "nothing is written" if arguments.strict else f"{output} says why"
        print(f"{path}: {wrong.sum()} of {len(table)} rows have no prediction, {where}", file=sys.stderr)
    if not (wrong.any() and arguments.strict):
        write_csv(found, output)
    raise SystemExit(NOT_ALL if wrong.any() else 0)


def _arguments() -> argparse.Namespace:
    def lines(about: dict[str, str]) -> str:
        return "\n".join(f"    {name:<29}{text}" for name, text in about.items())

    parts = {
        "inputs": lines({name: column.about for name, column in INPUTS.items()}),
        "quantities": lines(QUANTITIES),
        "said": lines(SAID),
        "measured": lines({name: column.about for name, column in MEASURED.items()}),
    }
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.predict",
        description=str(__doc__).format(**parts),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("configurations", type=Path, help="table with one configuration a row")
    parser.add_argument("-o", "--output", type=Path, required=True, help="CSV to write")
    parser.add_argument("--measured", type=Path, help="table of one's own measurements to calibrate with")
    parser.add_argument("--strict", action="store_true", help="write nothing unless every row is predicted")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
