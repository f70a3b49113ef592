"""How many output tokens an input token counts as, for each model of a log.

By default as fitted: data/results/token_weights.csv has the models whose serving was measured, and one row
for any other. A log's name of a model is matched without publisher, tuning and precision, as everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.assumptions.logs import Logs
from pipeline.contracts import read_table
from pipeline.contracts.logs import ANY_OTHER_MODEL, TOKEN_WEIGHTS, WEIGHT_BASES
from pipeline.errors import InputError
from pipeline.fit.serving.names import shape_key

TABLE = Path("data/results/token_weights.csv")
FITTED, OTHER, PARAMS = WEIGHT_BASES


@dataclass(frozen=True)
class TokenWeights:
    """Weight of an input token: of the models in `fitted`, by shape_key, and of any other."""

    other: float
    fitted: dict[str, float] = field(default_factory=dict)
    other_basis: str = PARAMS

    def of(self, model: str) -> tuple[float, str]:
        """The weight of a model and where it comes from."""
        name = shape_key(model)
        return (self.fitted[name], FITTED) if name in self.fitted else (self.other, self.other_basis)

    def apart(self, models: Iterable[str]) -> dict[str, float]:
        """Those of the models, as the log writes them, that do not have the weight of any other."""
        return {model: self.of(model)[0] for model in models if shape_key(model) in self.fitted}


def read_weights(logs: Logs, table: Path = TABLE) -> TokenWeights:
    """The weights that params.yaml asks for; raises InputError when their table is missing or wrong."""
    if logs.weight_input != "fitted":
        return TokenWeights(logs.weight_input.distribution.median())
    values = read_table(table, TOKEN_WEIGHTS).set_index("model")["weight_input"]
    if ANY_OTHER_MODEL not in values:
        raise InputError(f"{table}, column 'model': no row {ANY_OTHER_MODEL!r}, expected one")
    other = float(values.pop(ANY_OTHER_MODEL))
    return TokenWeights(other, {shape_key(model): float(value) for model, value in values.items()}, OTHER)
