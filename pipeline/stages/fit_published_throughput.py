"""Fit throughput on input and output length, model by model, as the published analysis does.

Inputs: build/published/throughput.parquet.
Outputs: build/as_published/throughput_fit.parquet (full precision),
data/results/published_throughput_fit.csv.
Settings: assumptions.as_published.models; the base's token lengths say where prediction intervals are taken.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.assumptions.published import known
from pipeline.errors import run
from pipeline.files import write_csv, write_parquet
from pipeline.fit.published_throughput import fit_all, to_table

THROUGHPUT = Path("build/published/throughput.parquet")
FIT = Path("build/as_published/throughput_fit.parquet")
EXPORT = Path("data/results/published_throughput_fit.csv")


def main() -> None:
    """Load the rows, fit, save."""
    models, input_tokens, short, long = load(
        "assumptions.as_published.models",
        "assumptions.as_published.base.input_tokens",
        "assumptions.as_published.base.output_tokens_short",
        "assumptions.as_published.base.output_tokens_long",
    )
    throughput = pd.read_parquet(THROUGHPUT)

    fits = fit_all(
        throughput,
        models,
        input_tokens=known(input_tokens),
        output_tokens_short=short.distribution.median(),
        output_tokens_long=long.distribution.median(),
    )

    write_parquet(to_table(fits), FIT)
    write_csv(to_table(fits), EXPORT)


if __name__ == "__main__":
    run(main)
