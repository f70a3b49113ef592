"""What a table of deployments may hold, and what the prediction adds to it.

One declaration for checks, messages and the help of the command.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "tokens", "whole"]
QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
# What is predicted for every row, each with QUANTILES.
QUANTITIES = {
    "output_tokens_per_s": "output tokens a second, of the instance; blank without an answer",
    "gpu_w": "power of all its accelerators, W",
    "gpu_j_per_output_token": "energy of the accelerators for an output token, prompts included, J",
    "node_wh_per_query": "energy of the servers for a query, Wh",
    "facility_wh_per_query": "the same times PUE, Wh",
    "onsite_ml_per_query": "water that evaporates on site, mL",
    "offsite_ml_per_query": "water of the electricity, mL",
    "total_ml_per_query": "both, mL",
    "carbon_g_per_query": "CO2e of the electricity, location based, g; blank: not published",
    "requests_per_s": "queries answered a second, of the instance",
}
AFTER_BASIS = ("carbon_g_per_query", "requests_per_s")  # added later: they stand behind what was there
MEASURABLE = ("output_tokens_per_s", "gpu_w", "gpu_j_per_output_token", "node_wh_per_query")

OK, CANNOT_RUN, WRONG = "ok", "cannot run", "wrong input"
STATUSES = (OK, CANNOT_RUN, WRONG)
SAID = {
    "basis": "what the prediction rests on: measured configuration, same model, pooled, extrapolated",
    "requests_running": "requests that run at once; the others of `concurrency` wait for memory",
    "assumed": "what was taken for what the row leaves open",
    "status": ", ".join(STATUSES),
    "message": "all that is wrong with the row, or why it cannot run",
}


@dataclass(frozen=True)
class Column:
    """An input column: kind, meaning, and the range of its numbers, ends included unless `above`."""

    kind: Kind
    about: str
    least: float = 0.0
    most: float = 0.0
    above: bool = False

    def allows(self) -> str:
        """The range in words."""
        least = f"{'more than' if self.above else 'at least'} {self.least:,.10g}"
        return f"{least} and at most {self.most:,.10g}"


def _number(
    about: str, most: float, least: float = 0.0, *, above: bool = False, kind: Kind = "number"
) -> Column:
    return Column(kind, about, least, most, above)


MOST_TOKENS = 1e8  # ten times the longest context that any model states
INPUTS = {
    "model": Column("text", "name of the model: of models.csv, Hugging Face, ollama, quantised or not"),
    "total_params_b": _number("parameters, 10^9; needed for a model that is not known", 1e5, above=True),
    "active_params_b": _number("of them active for a token", 1e5, above=True),
    "gpu": Column("text", "accelerator as tools print it, with or without count (8xH100), or a machine"),
    "gpus": _number("accelerators of one instance; blank: as `gpu` says", 1024, 1, kind="whole"),
    "precision": Column("text", "of the weights: bf16, fp8, nvfp4, awq, int3, q4_K_M ...; blank: published"),
    "concurrency": _number("requests in flight, mean; below 1: idle in between", 1e6, above=True),
    "input_tokens": _number("mean prompt; blank: that of conversations", MOST_TOKENS, 1, kind="tokens"),
    "cached_input_tokens": _number("of them read from the cache, not computed", MOST_TOKENS, kind="tokens"),
    "output_tokens": _number("mean answer; 0: none (embeddings)", MOST_TOKENS, kind="tokens"),
    "output_cv": _number("coefficient of variation of the answer's length", 10),
    "engine": Column("text", "vLLM, SGLang, TensorRT-LLM, another one, or blank: any of the measured ones"),
    "engine_date": Column("text", "release of the engine: 2025, 2025-08 or 2025-08-31"),
    "laboratory": Column("text", "whose protocol of measurement, as in data/telemetry/sources.csv"),
    "cache_precision": Column("text", "of the cache: bf16 or fp8; blank: as the engine does"),
    "max_context_tokens": _number("longest context served; blank: published", MOST_TOKENS, 1, kind="tokens"),
    "memory_gib": _number("of one accelerator, where it is not known or another", 1e5, above=True),
    "bandwidth_tb_s": _number("of its memory, TB/s", 1e3, above=True),
    "peak_bf16_tflops": _number("dense, 10^12 FLOP/s", 1e7, above=True),
    "peak_fp8_tflops": _number("dense", 1e7, above=True),
    "peak_fp4_tflops": _number("dense", 1e7, above=True),
    "peak_int8_tops": _number("dense, 10^12 operations/s", 1e7, above=True),
    "rated_w": _number("power limit of one accelerator, W", 1e5, above=True),
    "link_gb_s": _number("between accelerators, one direction, GB/s", 1e5, above=True),
    "site_scenario": Column("text", "a key of water.scenarios in params.yaml; blank: its headline"),
    "pue": _number("of the site; each of these four replaces that of the scenario", 5, 1),
    "wue_l_per_kwh": _number("water on site a kWh of the servers, L", 100),
    "water_l_per_kwh_electricity": _number("water a kWh of the electricity, L", 100),
    "carbon_g_per_kwh": _number("CO2e a kWh of the electricity, g", 3000),
    "name": Column("text", "of the row, for compare_to"),
    "compare_to": Column("text", "name or row of another one: adds this row's values over that one's"),
}  # fmt: skip
REQUIRED = ("gpu", "concurrency")
CHIP = ("memory_gib", "bandwidth_tb_s", "peak_bf16_tflops", "peak_fp8_tflops", "peak_fp4_tflops",
        "peak_int8_tops", "rated_w", "link_gb_s")  # fmt: skip
SITE = ("pue", "wue_l_per_kwh", "water_l_per_kwh_electricity", "carbon_g_per_kwh")
MEASURED = {
    name: _number(QUANTITIES[name], most, above=True)
    for name, most in zip(MEASURABLE, (1e8, 1e8, 1e6, 1e6), strict=True)
}


def quantile_columns(suffix: str = "") -> dict[str, list[str]]:
    """Names of the columns of each quantity: p5, p50, p95."""
    return {name: [f"{name}{suffix}_{label}" for label in QUANTILES] for name in QUANTITIES}


def added_columns(compared: bool) -> list[str]:
    """What the prediction adds, in order."""
    of = quantile_columns()
    first = [column for name in QUANTITIES if name not in AFTER_BASIS for column in of[name]]
    later = [column for name in AFTER_BASIS for column in of[name]]
    ratios = [column for columns in quantile_columns("_ratio").values() for column in columns]
    basis, *said = SAID
    return [*first, basis, *later, *(ratios if compared else []), *said]
