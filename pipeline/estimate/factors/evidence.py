"""What each factor rests on: the tier of its configuration, and what of the row lies beyond measurements.

Accelerator power and throughput were measured together in chat runs: so many requests in flight, answers of
so many tokens, prompts whose length the source does not state, on the accelerators and not at the wall. A
row is `measured` only where it asks for nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.assumptions.deployments import Deployment
from pipeline.contracts.factors import BEYOND, EVIDENCE
from pipeline.fit.serving.names import Names
from pipeline.fit.serving.training import PRECISIONS

SOURCE = "mlenergy_v3"  # of the rows with power that the serving model keeps to
PER_OUTPUT = "1000 output tokens"
Key = tuple[str, str, int, str]  # shape, accelerator, how many, precision


@dataclass(frozen=True)
class Cell:
    """A measured configuration: requests in flight, longest mean answer, models as the source names them."""

    least_requests: float
    most_requests: float
    output_tokens: float
    measured_as: str


@dataclass(frozen=True)
class Rests:
    """Tier of a configuration, what of the service is beyond its measurements, and what was measured."""

    basis: str
    beyond: frozenset[str]
    measured_as: str | None

    def at(self, boundary: str, per: str) -> dict[str, str | None]:
        """The columns `evidence`, `beyond` and `measured_as` of a row."""
        words = set(self.beyond)
        words |= set() if per == PER_OUTPUT or "configuration" in words else {"prompt"}
        words |= {"gpu": set(), "node": {"server"}, "facility": {"server", "site"}}[boundary]
        return {
            "evidence": self.basis if words else "measured",
            "beyond": "; ".join(word for word in BEYOND if word in words) or None,
            "measured_as": self.measured_as,
        }


def measured_cells(measurements: pd.DataFrame, names: Names) -> dict[Key, Cell]:
    """The measured configurations of the table SERVING_MEASUREMENTS."""
    rows = measurements[(measurements["source"] == SOURCE) & measurements["gpu_w"].notna()]
    rows = rows.assign(shape=rows["model"].map(names.resolve), precision=rows["precision"].map(PRECISIONS))
    found: dict[Any, Cell] = {
        key: Cell(
            least_requests=float(own["average_batch"].min()),
            most_requests=float(own["average_batch"].max()),
            output_tokens=float(own["output_tokens"].max()),
            measured_as="; ".join(sorted(own["upstream_model"].unique())),
        )
        for key, own in rows.groupby(["shape", "gpu", "gpus", "precision"])
    }
    return found


@dataclass(frozen=True)
class Evidence:
    """The measured configurations, and how models' names resolve to shapes."""

    cells: Mapping[Key, Cell]
    names: Names

    def of(
        self, deployment: Deployment, basis: str, requests: tuple[float, float], output_tokens: float
    ) -> Rests:
        """Of a service with so many requests in flight, least and most, and so long a mean answer."""
        shape = self.names.resolve(deployment.model)
        cell = self.cells.get((shape, deployment.gpu, deployment.gpus, deployment.precision))
        if cell is None or basis != "measured configuration":
            return Rests(basis, frozenset({"configuration"}), None)
        words = set()
        # Means of a run with 8 at most in flight are a little below 8.
        if requests[0] < round(cell.least_requests) or requests[1] > round(cell.most_requests):
            words.add("batch")
        if output_tokens > cell.output_tokens:
            words.add("answers")
        return Rests(basis, frozenset(words), cell.measured_as)


def together(members: Sequence[Rests]) -> Rests:
    """Of services taken together: the weakest tier, and all that is beyond measurements for any."""
    weakest = max((one.basis for one in members), key=EVIDENCE.index)
    return Rests(weakest, frozenset().union(*(one.beyond for one in members)), None)
