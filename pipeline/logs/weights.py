"""What a token of each model counts as when the energy of a node is shared: its price, in output tokens.

Prices come from the model of serving (`prices.py`), from the table of fitted weights, from params.yaml, or
from
deployment.yaml. A log's name of a model is matched without publisher, tuning and precision, as everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.ingest.names import shape_key
from pipeline.logs.assumptions import Logs
from pipeline.logs.contract import WEIGHT_BASES
from pipeline.serving.model.contract import ANY_OTHER_MODEL, TOKEN_WEIGHTS

TABLE = Path("data/results/token_weights.csv")
FITTED, OTHER, PARAMS, PRICED, SIZED, STATED = WEIGHT_BASES


@dataclass(frozen=True)
class TokenWeights:
    """Output tokens of the same model that an input token counts as: of the models in `fitted`, and of any
    other.

    models: those of the log, as it writes them; output: what an output token of a model counts as beside
    those of others, by shape_key; 1 where not stated.
    """

    other: float
    fitted: dict[str, float] = field(default_factory=dict)
    other_basis: str = PARAMS
    output: dict[str, float] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()

    def of(self, model: str) -> tuple[float, str]:
        """The weight of an input token of a model and where it comes from."""
        name = shape_key(model)
        if name in self.fitted:
            return self.fitted[name], self.basis.get(name, FITTED)
        return self.other, self.other_basis

    def price(self, model: str) -> tuple[float, float]:
        """What an input and an output token of a model count as beside those of other models."""
        output = self.output.get(shape_key(model), 1.0)
        return self.of(model)[0] * output, output

    def apart(self, models: Iterable[str]) -> dict[str, tuple[float, float]]:
        """The prices of those models, as the log writes them, that do not have the price of any other."""
        return {model: self.price(model) for model in models if self.price(model) != (self.other, 1.0)}


def read_weights(logs: Logs, table: Path = TABLE) -> TokenWeights:
    """The weights that params.yaml asks for; raises InputError when their table is missing or wrong."""
    if logs.weight_input != "fitted":
        return TokenWeights(logs.weight_input.distribution.median())
    values = read_table(table, TOKEN_WEIGHTS).set_index("model")["weight_input"]
    if ANY_OTHER_MODEL not in values:
        raise InputError(f"{table}, column 'model': no row {ANY_OTHER_MODEL!r}, expected one")
    other = float(values.pop(ANY_OTHER_MODEL))
    return TokenWeights(other, {shape_key(model): float(value) for model, value in values.items()}, OTHER)
