"""The published analysis: throughput as its authors fit it, their own random stream, and ours with errors."""

from pathlib import Path

from pipeline.core.catalogue import read, write
from pipeline.core.errors import run
from pipeline.core.settings import load
from pipeline.published.model import authors, draws
from pipeline.published.model.energy import fit_all, to_table
from pipeline.published.model.settings import known

OUTPUT = Path("build/as_published")


def main() -> None:
    """Fit throughput, run the released scripts, draw every variant precisely, save."""
    published, simulation = load("published", "simulation")
    base = published.base

    fits = fit_all(
        read("throughput"),
        published.models,
        input_tokens=known(base.input_tokens),
        output_tokens_short=base.output_tokens_short.distribution.median(),
        output_tokens_long=base.output_tokens_long.distribution.median(),
    )
    write("throughput_fit", to_table(fits))
    write("published_throughput_fit", to_table(fits))

    by_model = {fit.model: fit for fit in fits}
    authors.estimate(published, by_model).save(OUTPUT / "authors")
    draws.estimate(published, by_model, simulation).save(OUTPUT / "sobol")


if __name__ == "__main__":
    run(main)
