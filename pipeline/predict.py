"""Estimate throughput, power and energy per query of any serving configuration.

    python -m pipeline.predict configs.csv -o predictions.csv

Input columns: gpu, gpus, precision (fp4, fp8, bf16), concurrency (mean requests in flight); model, or
total_params_b and active_params_b, or both; input_tokens and output_tokens (means; blank: the default
scenario of params.yaml). Optional: engine (vLLM, TensorRT-LLM), output_cv (coefficient of variation of the
output length), site_scenario (a key of assumptions.water.scenarios in params.yaml; blank: its headline,
assumptions.water.headline). PUE, water on site and electricity are all those of a site of that scenario.
Output: the input columns, then the 5th, 50th and 95th percentiles of output_tokens_per_s, gpu_w (all GPUs),
gpu_j_per_output_token (prefill included), node_wh_per_query, facility_wh_per_query, and of the water on site,
in the electricity and in all (onsite_ml_per_query, offsite_ml_per_query, total_ml_per_query), and `basis`:
measured configuration, same model, pooled, or extrapolated.

Columns of one's own (a name, a note) are carried through; the command says which.

More requests in flight than memory holds half way through a mean answer wait: the row shows what runs then.

A wrong value stops with its row and column, and nothing is written.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.published import TABLES
from pipeline.contracts.read import read_cells
from pipeline.contracts.servers import NODE_POWER_FITS
from pipeline.contracts.water import WATER_TABLES
from pipeline.errors import InputError, run
from pipeline.estimate.configurations import KNOWN, check_configurations
from pipeline.estimate.predictions import predict
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import SITE_TABLES, site_factors
from pipeline.files import writable_folder, write_csv
from pipeline.fit.node_power import from_table
from pipeline.fit.serving.model import read_model

NODE_POWER = Path("data/results/node_power_fits.csv")
PUBLISHED = Path("data/published")


def predictions(table: pd.DataFrame, path: Path | str = "configurations") -> pd.DataFrame:
    """Input columns and predictions of a table of configurations; raises InputError naming `path` and row."""
    settings, water, simulation = load("assumptions.re_estimate.serving", "assumptions.water", "simulation")
    contracts = {**WATER_TABLES, "pue": TABLES["pue"]}
    facts = {name: read_table(PUBLISHED / f"{name}.csv", contracts[name]) for name in SITE_TABLES}
    model = read_model(settings.power_form)
    servers = from_table(read_table(NODE_POWER, NODE_POWER_FITS))
    rows = check_configurations(table, model.tables, settings, water, path)
    sites = Sites.of(water, site_factors(facts))
    predicted = predict(rows, model, servers, settings, sites, simulation.seed)
    shown = table.reset_index(drop=True)
    used = [name for name in KNOWN if name in shown]
    shown[used] = rows[used]
    return pd.concat([shown, predicted], axis=1)


def main() -> None:
    """Read, predict, write."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("configurations", type=Path, help="CSV with one configuration a row")
    parser.add_argument("-o", "--output", type=Path, required=True, help="CSV to write")
    arguments = parser.parse_args()
    if arguments.output.is_dir():
        raise InputError(f"{arguments.output}: a folder, expected the name of a file to write")
    writable_folder(arguments.output.parent)
    table = read_cells(arguments.configurations)
    if own := [str(name) for name in table if name not in KNOWN]:
        print(f"{arguments.configurations}: carried through, not used: {', '.join(own)}", file=sys.stderr)
    write_csv(predictions(table, arguments.configurations), arguments.output)


if __name__ == "__main__":
    run(main)
