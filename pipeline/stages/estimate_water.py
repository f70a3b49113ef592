"""Water of a query, on site and in its electricity, by scenario of sites.

Inputs: build/published/{sites,pue,wue,electricity_water}.parquet, build/as_published/throughput_fit.parquet,
data/results/{length_fits,length_parameters,length_traffic,node_power_fits}.csv, data/results/serving_model/.
Outputs: data/results/water_{per_query,split,sites,fleet,shares}.csv, data/results/carbon_per_query.csv
(without rows unless assumptions.water.carbon is set), and the headline, data/results/water_metrics.json.
Settings: assumptions.water, assumptions.re_estimate, assumptions.as_published, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.assumptions.published import known
from pipeline.errors import run
from pipeline.estimate.study_inputs import read_study
from pipeline.estimate.water.designs import by_site
from pipeline.estimate.water.fleet import of_a_day, shares
from pipeline.estimate.water.queries import means_it_wh, median_it_wh
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import SITE_TABLES, site_factors
from pipeline.estimate.water.tables import headline, per_query, world_uniforms
from pipeline.files import write_csv, write_json
from pipeline.fit.published_throughput import from_table

PUBLISHED = Path("build/published")
FIT = Path("build/as_published/throughput_fit.parquet")
RESULTS = Path("data/results")


def main() -> None:
    """Draw sites for the queries of both analyses, summarise, save."""
    settings, re_estimate, published, simulation = load(
        "assumptions.water", "assumptions.re_estimate", "assumptions.as_published", "simulation"
    )
    factors = site_factors({name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in SITE_TABLES})
    fits = from_table(pd.read_parquet(FIT))
    sites = Sites.of(settings, factors)
    study = read_study(re_estimate, simulation)
    uniforms = world_uniforms(simulation, study.propagation)
    base = published.variants[published.authors_stream.fleet]

    found = per_query(sites, study, published, fits, simulation).tables()
    size = simulation.model_copy(update={"draws_per_replicate": settings.draws_per_replicate})
    means = means_it_wh(study, published, fits, size)
    found["water_fleet"] = of_a_day(
        sites, means, uniforms, known(base.queries_per_day), known(base.long_share)
    )
    ours = {
        (case.variant, case.regime): means["re_estimated", case.variant][case.regime] for case in study.cases
    }
    found["water_shares"] = shares(sites, ours, uniforms)
    found["water_sites"] = by_site(factors, settings, median_it_wh(study), uniforms)

    for name, table in found.items():
        write_csv(table, RESULTS / f"{name}.csv")
    write_json(headline(found["water_split"], settings.headline), RESULTS / "water_metrics.json")


if __name__ == "__main__":
    run(main)
