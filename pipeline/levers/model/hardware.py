"""Accelerators compared: measured energy, published throughput over rated power, and the fitted model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.core.errors import InputError
from pipeline.core.units import Array
from pipeline.ingest.chips import gpu_key, gpu_names
from pipeline.levers.model.contract import FITTED, LEVER_HARDWARE, PERCENTILES
from pipeline.levers.model.evaluator import Evaluator, Facts
from pipeline.levers.model.rows import (
    AT_RATED_POWER,
    EITHER,
    GRADE_OF_BASIS,
    Row,
    at_bound,
    bound_of,
    grade_of,
    over,
    quantiles,
    span,
)
from pipeline.levers.model.settings import Hardware
from pipeline.serving.model.architecture import WEIGHT_BITS
from pipeline.serving.model.deployments import Deployment
from pipeline.serving.model.prepare import GIB

BITS = ("fp8", "fp4")
GPU = "gpu"
BOUNDARIES = ("facility", GPU)
STANDS_FOR = {"peak_bf16_tflops": "bf16 peak: half of that in FP8"}
WITH_HOST = "power of the chip alone: rated with its host and network"
# Model of MLPerf, what its accelerators are compared with, and the regime of its answers (301 tokens; 3,700).
MLPERF_MODELS = {"Llama 2 70B": ("H100", "short"), "DeepSeek-R1": ("H200", "long")}
SCENARIOS = ("Offline", "Server")
PER_WATT = "x throughput per watt"
CELL = ["model", "input_tokens", "output_tokens"]
NOT_STATED = "not stated"


def least_instance(item: Deployment, chip: str, bits: str, facts: Facts, settings: Hardware) -> Deployment:
    """The deployment on the fewest accelerators of a chip that hold its weights, with room for the cache.

    Raises InputError where the largest instance does not.
    """
    headroom = settings.weights_headroom.distribution.median()
    fitting = [gpus for gpus in settings.instances if holds(item, chip, gpus, bits, facts, headroom)]
    if not fitting:
        most = max(settings.instances)
        raise InputError(f"{most} {chip} do not hold {item.model} in {bits} {headroom:g} times over")
    return item.model_copy(update={"gpu": chip, "gpus": fitting[0], "precision": bits})


def holds(item: Deployment, chip: str, gpus: int, bits: str, facts: Facts, times: float = 1.0) -> bool:
    """Whether the memory of an instance holds the weights, so many times over."""
    weights = item.total_params_b * 1e9 * WEIGHT_BITS[bits] / 8
    return bool(gpus * float(facts[chip]["memory_gib"]) * GIB >= weights * times)


def bits_of(chip: str, facts: Facts) -> tuple[str, ...]:
    """Precisions that a chip computes in: four bits where it states a peak for them."""
    return BITS if pd.notna(facts[chip]["peak_fp4_tflops"]) else BITS[:1]


def software(evaluator: Evaluator, item: Deployment) -> Array | float:
    """Energy over what the model says, on a chip that no fit has seen; else 1."""
    seen = GRADE_OF_BASIS[evaluator.bases([item])[0]] == "B"
    return 1.0 if seen else evaluator.value("hardware.unmeasured_software")


def missing(chip: str, facts: Facts) -> str | None:
    """What no source says of a chip, and what stands for it in the model."""
    with_host = facts[chip]["boundary"] == "node"
    stand_ins = STANDS_FOR | {"node_rated_kw": WITH_HOST if with_host else "server: that of the baseline"}
    gaps = [words for column, words in stand_ins.items() if pd.isna(facts[chip][column])]
    return "; ".join(gaps) or None


@dataclass(frozen=True)
class Comparison:
    """Energy, Wh, of every model on its own accelerators and on each chip, in one regime.

    moved: deployments by (chip, bits), in the order of `models`; wh, gpu_wh: energy of the mean query at the
    facility and of the accelerators, (samples,).
    """

    regime: str
    models: list[Deployment]
    moved: Mapping[tuple[str, str], list[Deployment]]
    wh: Mapping[Deployment, Array]
    gpu_wh: Mapping[Deployment, Array]

    @classmethod
    def of(cls, evaluator: Evaluator, regime: str, facts: Facts) -> "Comparison":
        """Evaluate all of them together; the first chip is what the models run on already."""
        settings = evaluator.settings.hardware
        models = evaluator.able(settings.models, regime)
        first = models[0]
        moved = {(first.gpu, first.precision): models} | {
            (chip, bits): [least_instance(item, chip, bits, facts, settings) for item in models]
            for chip in settings.chips[1:]
            for bits in bits_of(chip, facts)
        }
        every = [item for items in moved.values() for item in items]
        found = evaluator.evaluate([*models, *every], evaluator.call(regime))
        wh, gpu_wh = (
            {item: energy(one) * software(evaluator, item) for item, one in found.items()}
            for energy in (evaluator.energy_wh, evaluator.gpu_wh)
        )
        return cls(regime, models, moved, wh, gpu_wh)

    @property
    def words(self) -> str:
        """The models in words."""
        return "two models in equal parts" if len(self.models) > 1 else self.models[0].model

    def rows(self, evaluator: Evaluator, facts: Facts) -> Iterator[dict[str, Any]]:
        """Rows of LEVER_HARDWARE: every chip, model and precision by the fitted model.

        At the facility, and at the accelerators where their power is known apart from that of their host.
        """
        for items in self.moved.values():
            for (item, moved), boundary in product(zip(self.models, items, strict=True), BOUNDARIES):
                if boundary == GPU and evaluator.host_counted(moved.gpu):
                    continue
                wh = self.gpu_wh if boundary == GPU else self.wh
                yield {
                    "chip": moved.gpu, "baseline": item.gpu, "regime": self.regime, "model": item.model,
                    "precision": moved.precision, "baseline_precision": item.precision,
                    "load": "as in production, the same on an instance", "boundary": boundary,
                    "basis": FITTED, "grade": grade_of([item, moved], evaluator.bases),
                    **quantiles(wh[item] / wh[moved], evaluator.replicates),
                    "gpus": moved.gpus, "baseline_gpus": item.gpus, "rated_w": facts[moved.gpu]["rated_w"],
                    "missing": missing(moved.gpu, facts), "note": facts[moved.gpu]["note"],
                    "sources": f"{facts[moved.gpu]['source']};{item.source}",
                }  # fmt: skip

    def system_rows(self, evaluator: Evaluator, facts: Facts) -> Iterator[Row]:
        """Rows of LEVER_SYSTEMS: the models in equal parts, by chip, in eight bits and in four."""
        first = self.models[0].gpu

        def gain(wh: Mapping[Deployment, Array], items: Sequence[Deployment]) -> Array:
            before, after = (np.mean([wh[item] for item in some], axis=0) for some in (self.models, items))
            return np.asarray(before / after)

        for (chip, bits), items in self.moved.items():
            if chip != first:
                apart = not evaluator.host_counted(chip)
                yield Row(
                    "hardware", chip, self.regime,
                    f"{chip} in {bits} against {first} in fp8, {self.words}",
                    FITTED, grade_of([*self.models, *items], evaluator.bases), gain(self.wh, items),
                    str(facts[chip]["source"]), gain(self.gpu_wh, items) if apart else None,
                    note=missing(chip, facts),
                )  # fmt: skip


def hardware_table(rows: list[dict[str, Any]], chips: Sequence[str]) -> pd.DataFrame:
    """LEVER_HARDWARE, chips in the order of params, the others after them."""
    table = pd.DataFrame(rows).reindex(columns=list(LEVER_HARDWARE.columns))
    place = table["chip"].map({chip: at for at, chip in enumerate(chips)}).fillna(len(chips))
    return table.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)


def measured(chat: pd.DataFrame, batches: Sequence[float]) -> Iterator[dict[str, Any]]:
    """B200 against H100: the same model and precision, at the same batch and at the best of each.

    chat: measured rows of chat queries; percentiles are over models, so how models differ.
    """
    same, best = [], []
    for _, rows in chat.groupby(["model", "precision"]):
        curves = [_lowest(rows[rows["gpu"] == gpu]) for gpu in ("H100", "B200")]
        if any(len(curve) < 2 for curve in curves):
            continue
        best.append(float(curves[0].min() / curves[1].min()))
        for batch in batches:
            if all(curve.index.min() <= batch <= curve.index.max() for curve in curves):
                before, after = (
                    np.exp(np.interp(np.log(batch), np.log(c.index), np.log(c.to_numpy()))) for c in curves
                )
                same.append(float(before / after))
    words = f"the same batch ({', '.join(f'{b:.0f}' for b in batches)})"
    for load, ratios in ((words, same), ("the best configuration of each", best)):
        yield {
            "chip": "B200", "baseline": "H100", "regime": "short", "model": "models measured on both",
            "precision": "several", "baseline_precision": "several", "load": load, "boundary": "gpu",
            "basis": "measured energy", "grade": "A", **over(ratios), "sources": "mlenergy2025",
            "note": "percentiles over models, and batches if several; chat queries",
        }  # fmt: skip


def _lowest(rows: pd.DataFrame) -> pd.Series:
    """J per output token over the measured batch, the lowest of instances of several sizes."""
    rounded = rows.assign(batch=rows["concurrency"].round())
    return rounded.groupby("batch")["gpu_j_per_output_token"].min().sort_index()


def mlperf(results: pd.DataFrame, facts: Facts, chips: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Best throughput of an accelerator over its rated power, in the results of MLPerf (MLPERF_THROUGHPUT).

    Systems of several boards are counted by accelerator.
    """
    known = gpu_names(pd.DataFrame(facts).T.rename_axis("gpu").reset_index())
    rows = results.assign(
        chip=results["gpu"].map(lambda name: known.get(gpu_key(name)), na_action="ignore"),
        rate=results["output_tokens_per_s"] / (results["gpus_per_node"] * results["nodes"]),
        precision=results["precision"].replace({"mxfp4": "fp4"}),
    )
    rows = rows[rows["chip"].isin(list(chips)) & rows["scenario"].isin(SCENARIOS)]
    for model, (first, regime) in MLPERF_MODELS.items():
        own = rows[rows["model"] == model]
        best = own.groupby(["chip", "precision", "scenario"])["rate"].max()
        wide = str(own.loc[own["chip"] == first, "precision"].iloc[0])
        base = best.loc[first, wide]
        groups: Any = best.groupby(level=["chip", "precision"])
        for (chip, precision), found in groups:
            ratio = (found.droplevel(["chip", "precision"]) / base).dropna() * rated(facts, first, chip)
            if chip != first and len(ratio):
                yield {
                    "chip": chip, "baseline": first, "regime": regime, "model": model, "precision": precision,
                    "baseline_precision": wide, "load": f"saturated ({', '.join(ratio.index)})",
                    "boundary": "gpu", "basis": AT_RATED_POWER, "grade": "B", **over(ratio.tolist()),
                    "rated_w": facts[chip]["rated_w"], "sources": "mlperf_v51",
                    "note": "best result of each, closed and open division; power is rated, not measured",
                }  # fmt: skip


def vendor(saturated: pd.DataFrame, facts: Facts, long_output: float) -> Iterator[dict[str, Any]]:
    """Throughput at saturation, cell by cell, over rated power; against H100.

    saturated: rows of SERVING_MEASUREMENTS measured so; long_output: tokens of a cell that stands for
    reasoning.
    """
    rows = saturated[saturated["gpu"].isin(list(facts))]
    rows = rows.assign(rate=rows["output_tokens_per_s"] / rows["gpus"])
    best = rows.groupby(["gpu", "precision", *CELL])["rate"].max()
    base = best.loc["H100", "FP8"]
    groups: Any = best.groupby(level=["gpu", "precision"])
    for (chip, precision), found in groups:
        ratio = (found.droplevel(["gpu", "precision"]) / base).dropna() * rated(facts, "H100", chip)
        output = ratio.index.get_level_values("output_tokens").to_numpy(float)
        for regime, chosen in zip(REGIMES, (output < long_output, output >= long_output), strict=True):
            if chip != "H100" and chosen.any():
                yield {
                    "chip": chip, "baseline": "H100", "regime": regime, "model": "models in both tables",
                    "precision": precision.lower().replace("fp16", "bf16"), "baseline_precision": "fp8",
                    "load": "saturated", "boundary": "gpu", "basis": AT_RATED_POWER,
                    "grade": "B", **over(ratio[chosen].tolist()), "rated_w": facts[chip]["rated_w"],
                    "sources": "nvidia_trtllm_perf",
                    "note": "percentiles over cells of model and lengths; best version and instance of each",
                }  # fmt: skip


def rated(facts: Facts, before: str, after: str) -> float:
    """Rated power of one accelerator over that of another."""
    return float(facts[before]["rated_w"] / facts[after]["rated_w"])


def stated(levers: pd.DataFrame, facts: Facts) -> Iterator[dict[str, Any]]:
    """Single published comparisons (LEVERS by key) of `chip, baseline`; throughput over rated power."""
    compared = levers[(levers["group"] == "hardware") & levers["unit"].isin(["x throughput", PER_WATT])]
    for key, row in compared[compared["hardware"].str.contains(", ", na=False)].to_dict("index").items():
        chip, baseline = row["hardware"].split(", ")
        per_watt, bound = row["unit"] == PER_WATT, bound_of(row["interval"])
        watts = 1.0 if per_watt else rated(facts, baseline, chip)
        ends = (row["low"], row["high"]) if pd.notna(row["low"]) else (row["value"], row["value"])
        values = at_bound(row["value"], bound) if bound else span([row["value"]], *ends)
        for regime in REGIMES if row["regime"] == EITHER else (row["regime"],):
            yield {
                "chip": chip, "baseline": baseline, "regime": regime, "model": row["subject"],
                "precision": NOT_STATED, "baseline_precision": NOT_STATED,
                "load": row["load"] if isinstance(row["load"], str) else NOT_STATED,
                "boundary": "not-stated" if per_watt else "gpu",
                "basis": "statement" if row["grade"] == "D" else AT_RATED_POWER,
                "grade": row["grade"], "bound": bound,
                **{name: values[name] * watts for name in PERCENTILES},
                "n_values": 1.0, "rated_w": facts[chip]["rated_w"] if chip in facts else np.nan,
                "evidence": key, "sources": row["source"],
                "note": row["note"] if isinstance(row["note"], str) else None,
            }  # fmt: skip
