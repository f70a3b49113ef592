"""Accelerators in a row: measured energy, published throughput over rated power, and the fitted model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.contracts.levers import LEVER_HARDWARE
from pipeline.contracts.read import validate
from pipeline.errors import InputError
from pipeline.estimate.levers.bench import Bench
from pipeline.estimate.levers.evidence import GRADE_OF_BASIS, grade_of
from pipeline.estimate.levers.rows import Row, band
from pipeline.fit.serving.architecture import WEIGHT_BITS
from pipeline.fit.serving.prepare import GIB

Array = NDArray[np.float64]
Facts = Mapping[str, Mapping[str, Any]]  # rows of HARDWARE by accelerator
INSTANCES = (1, 2, 4, 8)
STANDS_FOR = {
    "peak_bf16_tflops": "bf16 peak: half of that in FP8",
    "node_rated_kw": "server: that of B200",
}


def least_instance(item: Deployment, chip: str, precision: str, facts: Facts, headroom: float) -> Deployment:
    """The deployment on the fewest accelerators of a chip that hold its weights `headroom` times over.

    Raises InputError where eight do not.
    """
    wanted = item.total_params_b * 1e9 * WEIGHT_BITS[precision] / 8 * headroom
    memory = float(facts[chip]["memory_gib"]) * GIB
    fitting = [gpus for gpus in INSTANCES if gpus * memory >= wanted]
    if not fitting:
        raise InputError(f"eight {chip} do not hold {item.model} in {precision} {headroom:g} times over")
    return item.model_copy(update={"gpu": chip, "gpus": fitting[0], "precision": precision})


def has_fp4(chip: str, facts: Facts) -> bool:
    """Whether a chip states a peak for four bits."""
    return bool(pd.notna(facts[chip]["peak_fp4_tflops"]))


def software(bench: Bench, item: Deployment) -> Array | float:
    """Energy over what the model says, on a chip that no fit has seen; else 1."""
    if GRADE_OF_BASIS[bench.bases([item])[0]] == "B":
        return 1.0
    return bench.value("hardware.unmeasured_software", bench.settings.hardware.unmeasured_software)


@dataclass(frozen=True)
class Ladder:
    """Facility energy, Wh, of every model on its own accelerators and on each chip, in one regime.

    moved: deployments by (chip, bits), in the order of `models`; wh: energy of the mean query, (worlds,).
    """

    regime: str
    models: list[Deployment]
    moved: Mapping[tuple[str, str], list[Deployment]]
    wh: Mapping[Deployment, Array]

    @classmethod
    def of(cls, bench: Bench, regime: str, facts: Facts) -> "Ladder":
        """Price all of them together; the first chip is what the models run on already."""
        settings = bench.settings.hardware
        headroom = settings.weights_headroom.distribution.median()
        first = settings.models[0]
        moved: dict[tuple[str, str], list[Deployment]] = {(first.gpu, first.precision): settings.models}
        moved |= {
            (chip, bits): [least_instance(item, chip, bits, facts, headroom) for item in settings.models]
            for chip in settings.chips[1:]
            for bits in ("fp8", "fp4")
            if bits == "fp8" or has_fp4(chip, facts)
        }
        every = [item for items in moved.values() for item in items]
        priced = bench.price([*settings.models, *every], bench.call(regime))
        wh = {item: bench.energy_wh(one) * software(bench, item) for item, one in priced.items()}
        return cls(regime, settings.models, moved, wh)


def modelled(bench: Bench, ladders: Sequence[Ladder], facts: Facts) -> Iterator[dict[str, Any]]:
    """Rows of LEVER_HARDWARE: every chip, model, regime and precision by the fitted model."""
    for ladder in ladders:
        for items in ladder.moved.values():
            for item, moved in zip(ladder.models, items, strict=True):
                yield {
                    "chip": moved.gpu,
                    "baseline": item.gpu,
                    "regime": ladder.regime,
                    "model": item.model,
                    "precision": moved.precision,
                    "baseline_precision": item.precision,
                    "load": "as in production, the same on an instance",
                    "boundary": "facility",
                    "basis": "fitted model",
                    "grade": grade_of([item, moved], bench.bases),
                    **band(ladder.wh[item] / ladder.wh[moved], bench.replicates),
                    "gpus": moved.gpus,
                    "baseline_gpus": item.gpus,
                    "rated_w": facts[moved.gpu]["rated_w"],
                    "missing": missing(moved.gpu, facts),
                    "sources": f"{facts[moved.gpu]['source']};{item.source}",
                    "note": facts[moved.gpu]["note"],
                }


def missing(chip: str, facts: Facts) -> str | None:
    """What no source says of a chip, and what stands for it in the model."""
    gaps = [words for column, words in STANDS_FOR.items() if pd.isna(facts[chip][column])]
    return "; ".join(gaps) or None


def hardware_table(rows: list[dict[str, Any]], bench: Bench) -> pd.DataFrame:
    """LEVER_HARDWARE, chips in the order of params, the others after them."""
    order = {chip: place for place, chip in enumerate(bench.settings.hardware.chips)}
    table = pd.DataFrame(rows).reindex(columns=list(LEVER_HARDWARE.columns))
    for column in ("gpus", "baseline_gpus", "n_values", "mc_error_p50", "rated_w"):
        table[column] = table[column].astype(float)
    for column in ("missing", "evidence", "note", "bound"):
        table[column] = table[column].astype(object).where(table[column].notna(), None)
    place = table["chip"].map(order).fillna(len(order))
    table = table.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)
    return validate(table, LEVER_HARDWARE, "levers of hardware")


def hardware_rows(bench: Bench, ladders: Sequence[Ladder], facts: Facts) -> Iterator[Row]:
    """Rows of LEVER_SYSTEMS: the models of the ladder in equal parts, by chip, in eight bits and in four."""
    for ladder in ladders:
        before = np.mean([ladder.wh[item] for item in ladder.models], axis=0)
        first = ladder.models[0].gpu
        for (chip, bits), items in ladder.moved.items():
            if chip == first:
                continue
            after = np.mean([ladder.wh[item] for item in items], axis=0)
            yield Row(
                "hardware",
                chip,
                ladder.regime,
                f"{chip} in {bits} against {first} in fp8, two models in equal parts",
                "fitted model",
                grade_of([*ladder.models, *items], bench.bases),
                before / after,
                str(facts[chip]["source"]),
                note=missing(chip, facts),
            )
