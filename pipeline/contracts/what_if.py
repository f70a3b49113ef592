"""Contract of the what-if of one service."""

import pandera.pandas as pa

from pipeline.contracts.columns import NOT_NEGATIVE, number, schema, text, word
from pipeline.contracts.re_estimated import SPLIT
from pipeline.contracts.results import BOUNDARIES

SCOPES = ("onsite", "offsite", "total")
QUANTITIES = [*(f"{boundary}_energy" for boundary in BOUNDARIES), *(f"{scope}_water" for scope in SCOPES)]
STATISTICS = {name.removesuffix("_wh"): meaning for name, meaning in SPLIT.items()}

WHAT_IF = schema(
    {
        "quantity": word("of one query: energy at a boundary, or water by scope", QUANTITIES),
        "unit": word("of every number of the row", ["Wh", "mL"]),
        "settings": text("scenario.what_if where it is not null"),
        **{name: number(meaning, NOT_NEGATIVE) for name, meaning in STATISTICS.items()},
        **{
            f"mc_error_{name}": number(f"Monte Carlo standard error of {name}", NOT_NEGATIVE)
            for name in STATISTICS
        },
    },
    [pa.Check(lambda table: ~table.duplicated("quantity"), name="quantity", error="each once")],
    "Energy and water of a query of one service under the settings of scenario.what_if.",
)
