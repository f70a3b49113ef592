"""Accelerators by what others measured: energy of the same model, or throughput over rated power."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.levers import PERCENTILES
from pipeline.contracts.results import REGIMES
from pipeline.estimate.levers.hardware import Facts
from pipeline.estimate.levers.rows import at_bound, bound_of, span

MEASURED_BATCHES = (64.0, 128.0, 256.0)
# Names of accelerators in the results of MLPerf; GB200 and GB300 are counted by accelerator.
MLPERF_CHIPS = {
    "NVIDIA H100-SXM-80GB": "H100",
    "NVIDIA H200-SXM-141GB": "H200",
    "NVIDIA B200-SXM-180GB": "B200",
    "NVIDIA GB200": "GB200",
    "NVIDIA GB300": "GB300",
    "AMD Instinct MI355X 288GB HBM3e": "MI355X",
}
# Model, its baseline there, and the regime of its answers (301 tokens; 3,700 of reasoning).
MLPERF_MODELS = {"Llama 2 70B": ("H100", "short"), "DeepSeek-R1": ("H200", "long")}
MLPERF_PRECISION = {"mxfp4": "fp4"}
SCENARIOS = ("Offline", "Server")
# Published comparisons of data/published/levers.csv: chip and what it is compared with.
PAIRS = {
    "oviedo_blackwell": ("B200", "H100"),
    "infx_b200_h100": ("B200", "H100"),
    "infx_gb200_b200": ("GB200", "B200"),
    "infx_gb300_gb200": ("GB300", "GB200"),
    "mlperf51": ("GB300", "GB200"),
    "nv_gb300_mw": ("GB300", "H200"),
    "mlperf60_mi355": ("MI355X", "MI325X"),
    "metrum": ("MI355X", "MI300X"),
    "ironw2": ("TPU7x", "TPU v6e"),
}
PER_WATT = "x throughput per watt"
LONG_OUTPUT = 2000  # tokens of a vendor's cell that stands for reasoning
CELL = ["model", "input_tokens", "output_tokens"]


def measured(serving: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """B200 against H100: the same model and precision, at the same batch and at the best of each.

    serving: chat rows of ML.ENERGY v3; percentiles are over models, so how models differ.
    """
    same, best = [], []
    for _, rows in serving.groupby(["model", "precision"]):
        curves = [_lowest(rows[rows["gpu"] == gpu]) for gpu in ("H100", "B200")]
        if any(len(curve) < 2 for curve in curves):
            continue
        best.append(float(curves[0].min() / curves[1].min()))
        for batch in MEASURED_BATCHES:
            if all(curve.index.min() <= batch <= curve.index.max() for curve in curves):
                before, after = (
                    np.exp(np.interp(np.log(batch), np.log(c.index), np.log(c.to_numpy()))) for c in curves
                )
                same.append(float(before / after))
    words = f"the same batch ({', '.join(f'{b:.0f}' for b in MEASURED_BATCHES)})"
    for load, ratios in ((words, same), ("the best configuration of each", best)):
        yield {
            "chip": "B200", "baseline": "H100", "regime": "short", "model": "models measured on both",
            "precision": "several", "baseline_precision": "several", "load": load, "boundary": "gpu",
            "basis": "measured energy", "grade": "A", **over(ratios), "sources": "mlenergy2025",
            "note": "percentiles over models, and batches if several; chat queries",
        }  # fmt: skip


def _lowest(rows: pd.DataFrame) -> pd.Series:
    """J per output token over the measured batch, the lowest of instances of several sizes."""
    rounded = rows.assign(batch=rows["average_batch"].round())
    return rounded.groupby("batch")["gpu_j_per_output_token"].min().sort_index()


def over(values: list[float]) -> dict[str, float]:
    """Percentiles of published values, with their number."""
    found = np.percentile(values, list(PERCENTILES.values()), method="hazen")
    return {**dict(zip(PERCENTILES, map(float, found), strict=True)), "n_values": float(len(values))}


def mlperf(results: pd.DataFrame, facts: Facts) -> Iterator[dict[str, Any]]:
    """Best throughput of an accelerator over its rated power, in the results of MLPerf."""
    rows = results[results["gpu"].isin(list(MLPERF_CHIPS)) & results["scenario"].isin(SCENARIOS)]
    rows = rows.assign(
        chip=rows["gpu"].map(MLPERF_CHIPS),
        rate=rows["output_tokens_per_s"] / (rows["gpus_per_node"] * rows["nodes"]),
        precision=rows["precision"].replace(MLPERF_PRECISION),
    )
    for model, (first, regime) in MLPERF_MODELS.items():
        own = rows[rows["model"] == model]
        best = own.groupby(["chip", "precision", "scenario"])["rate"].max()
        start = own[own["chip"] == first]
        if start.empty:
            continue
        wide = str(start["precision"].iloc[0])
        groups: Any = best.groupby(level=["chip", "precision"])
        for (chip, precision), found in groups:
            if chip == first:
                continue
            rates = found.droplevel(["chip", "precision"])
            base = best.loc[first, wide]
            shared = [name for name in rates.index if name in base.index]
            power = facts[chip]["rated_w"] / facts[first]["rated_w"]
            if shared:
                yield {
                    "chip": chip, "baseline": first, "regime": regime, "model": model, "precision": precision,
                    "baseline_precision": wide, "load": f"saturated ({', '.join(shared)})", "boundary": "gpu",
                    "basis": "published throughput and rated power", "grade": "B",
                    **over([float(rates[name] / base[name] / power) for name in shared]),
                    "rated_w": facts[chip]["rated_w"], "sources": "mlperf_v51",
                    "note": "best result of each, closed and open division; power is rated, not measured",
                }  # fmt: skip


def vendor(throughput: pd.DataFrame, facts: Facts) -> Iterator[dict[str, Any]]:
    """Throughput tables of one vendor's engine, cell by cell, over rated power; baseline H100 in FP8."""
    rows = throughput[throughput["set"] == "tensorrt_llm_overview"]
    rows = rows.assign(rate=rows["output_tokens_per_s"] / rows["gpus"])
    best = rows.groupby(["gpu", "precision", *CELL])["rate"].max()
    base = best.loc["H100", "FP8"]
    groups: Any = best.groupby(level=["gpu", "precision"])
    for (chip, precision), found in groups:
        if chip == "H100" or chip not in facts:
            continue
        power = facts[chip]["rated_w"] / facts["H100"]["rated_w"]
        ratio = (found.droplevel(["gpu", "precision"]) / base / power).dropna()
        output = ratio.index.get_level_values("output_tokens").to_numpy(float)
        for regime, chosen in zip(REGIMES, (output < LONG_OUTPUT, output >= LONG_OUTPUT), strict=True):
            if chosen.any():
                yield {
                    "chip": chip, "baseline": "H100", "regime": regime, "model": "models in both tables",
                    "precision": precision.lower().replace("fp16", "bf16"), "baseline_precision": "fp8",
                    "load": "saturated", "boundary": "gpu", "basis": "published throughput and rated power",
                    "grade": "B", **over(ratio[chosen].tolist()), "rated_w": facts[chip]["rated_w"],
                    "sources": "nvidia_trtllm_perf",
                    "note": "percentiles over cells of model and lengths; best version and instance of each",
                }  # fmt: skip


def stated(levers: pd.DataFrame, rated_w: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """Single published comparisons; throughput is divided by the ratio of rated power, W by accelerator."""
    for key, (chip, baseline) in PAIRS.items():
        row: Any = levers.loc[key]
        per_watt = row["unit"] == PER_WATT
        power = 1.0 if per_watt else rated_w[chip] / rated_w[baseline]
        bound = bound_of(row["interval"])
        if bound is None:
            ends = (row["low"], row["high"]) if pd.notna(row["low"]) else (row["value"], row["value"])
            values = span([row["value"]], *ends)
        else:
            values = at_bound(row["value"], bound)
        for regime in REGIMES if row["regime"] == "both" else (row["regime"],):
            yield {
                "chip": chip, "baseline": baseline, "regime": regime, "model": row["subject"],
                "precision": "not stated", "baseline_precision": "not stated",
                "load": row["load"] if isinstance(row["load"], str) else "not stated",
                "boundary": "not-stated" if per_watt else "gpu",
                "basis": "statement" if row["grade"] == "D" else "published throughput and rated power",
                "grade": row["grade"], "bound": bound,
                **{name: value / power for name, value in values.items()},
                "n_values": 1.0, "rated_w": rated_w.get(chip, np.nan),
                "evidence": key, "sources": row["source"],
                "note": row["note"] if isinstance(row["note"], str) else None,
            }  # fmt: skip
