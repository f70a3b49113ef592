"""Contract of the what-if of one service."""

from pipeline.core.catalogue import Table
from pipeline.core.columns import BOUNDARIES, NOT_NEGATIVE, number, row_check, schema, text, word
from pipeline.energy.model.contract import SPLIT

SCOPES = ("onsite", "offsite", "total")
QUANTITIES = [
    *(f"{boundary}_energy" for boundary in BOUNDARIES),
    *(f"{scope}_water" for scope in SCOPES),
    "carbon",
]
STATISTICS = {name.removesuffix("_wh"): meaning for name, meaning in SPLIT.items()}

WHAT_IF = schema(
    {
        "quantity": word(
            "of one query: energy at a boundary, water by scope, or CO2e, location based", QUANTITIES
        ),
        "unit": word("of every number of the row", ["Wh", "mL", "g"]),
        "settings": text("what_if where it is not null"),
        **{name: number(meaning, NOT_NEGATIVE) for name, meaning in STATISTICS.items()},
        **{
            f"mc_error_{name}": number(f"Monte Carlo standard error of {name}", NOT_NEGATIVE)
            for name in STATISTICS
        },
    },
    "Energy, water and carbon of a query of one service under the settings of what_if.",
    checks=[row_check("quantity", "each once", lambda table: ~table.duplicated("quantity"))],
)

TABLES = {"what_if": Table(WHAT_IF, "what_if")}
