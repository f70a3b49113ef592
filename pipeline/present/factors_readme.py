"""The README beside the factor table, from the table and its contract: nothing in it is typed twice."""

from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.assumptions.factors import Factors
from pipeline.contracts.factors import BEYOND, EVIDENCE, FACTORS, SCHEMA_VERSION
from pipeline.present.citation import Citation

NAME = "README.md"
TEMPLATE = "factors_readme.md.j2"


def readme(table: pd.DataFrame, citation: Citation, factors: Factors) -> str:
    """Markdown: what is there, columns, how it is computed, how uncertain, how to cite, changes."""
    folder = FileSystemLoader(Path(__file__).parent)
    jinja = Environment(
        loader=folder, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return jinja.get_template(TEMPLATE).render(
        citation=citation,
        schema_version=SCHEMA_VERSION,
        columns=FACTORS.columns,
        beyond=BEYOND,
        tiers=counted(table),
        sites=table[["site", "site_title"]].drop_duplicates().to_numpy().tolist(),
        headline=headline(table),
        classes=factors.classes,
        bands=[band.name for band in factors.batch_bands],
        rows=len(table),
    )


def counted(table: pd.DataFrame) -> dict[str, int]:
    """Rows of every tier, the best first."""
    return {tier: int((table["evidence"] == tier).sum()) for tier in EVIDENCE}


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """What is asked first: a query as in production, at a facility anywhere, of models taken together."""
    usual = {"load": "as in production", "boundary": "facility", "site": "any site", "per": "query"}
    rows = table[(table[[*usual]] == pd.Series(usual)).all(axis=1)]
    return rows[rows["model_class"].str.startswith("any ")]
