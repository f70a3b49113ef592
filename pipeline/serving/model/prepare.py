"""From a table of configurations to what the step and power models need.

Configurations have the columns

    model (name or missing), total_params_b, active_params_b (used where the model is unknown), gpu, gpus,
    precision (one of PRECISIONS), engine (one of ENGINES), concurrency (missing: saturated), input_tokens,
    output_tokens;

and may have laboratory, engine_year or engine_date (ISO), cached_input_tokens, cache_precision (bf16, fp8),
output_cv, weight_bits (nvfp4 and q4_K_M have more than other four-bit formats), gpu_power_limit_w (a card),
split_by_request (0 or 1: attention by request), age_share (of a run that is measured before it is steady),
tuned (1: each point by the maker of chip or engine), and task, where input_tokens are missing: a length is
integrated over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.ingest.names import Names
from pipeline.serving.model import terms as T
from pipeline.serving.model.architecture import (
    SPARSE_FROM,
    WEIGHT_BITS,
    Architecture,
    Array,
    ShapeRules,
    fit_shape_rules,
    from_parameters,
    from_table,
    weight_bits,
)
from pipeline.serving.model.effects import NONE, joined
from pipeline.serving.model.settings import Serving

VLLM, TENSORRT = "vLLM", "TensorRT-LLM"
GIB = 2.0**30
SLOPE_STEP = 1.1  # factor on a prompt length over which the change of step time is taken
QUARTERS = 4  # versions of an engine: what it is in a quarter of a year
# Where the published weights are as narrow as stated, no unit of the chip is needed to keep them so.
NATIVE = {"MXFP4": "fp4", "INT4": "fp4", "FP8": "fp8"}
OWN = "own"  # the laboratory of rows that state none: one for all of them, measured once they are told
WIDE = ("w4a16", "w8a16")  # narrow weights, widened as they are read
USUAL_BITS = 0.1  # ln, of AWQ and GPTQ; formats of GGUF files are wider or narrower
OPTIONAL: dict[str, float | str] = {
    "laboratory": OWN, "engine_year": np.nan, "cached_input_tokens": 0.0, "cache_precision": NONE,
    "output_cv": np.nan, "split_by_request": np.nan, "age_share": 1.0, "task": NONE,
    "gpu_power_limit_w": np.nan, "weight_bits": np.nan, "tuned": np.nan,
}  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """The facts: models, accelerators by name, and rules for models that are not among them."""

    models: pd.DataFrame
    hardware: pd.DataFrame  # index: gpu
    names: Names
    shapes: Architecture
    rules: ShapeRules


def make_tables(models: pd.DataFrame, hardware: pd.DataFrame) -> Tables:
    """From tables in the contracts MODELS and HARDWARE."""
    return Tables(
        models, hardware.set_index("gpu"), Names.of(models), from_table(models), fit_shape_rules(models)
    )


@dataclass(frozen=True)
class Prepared:
    """n configurations: levels and slopes of every effect as columns of `rows`, arrays (n,); x is (n, K)."""

    rows: pd.DataFrame
    arch: Architecture
    load: T.Load
    chip: T.Chip
    x: Array

    def take(self, index: NDArray[np.integer]) -> "Prepared":
        """The configurations at these positions."""
        load = T.Load(**{name: values[index] for name, values in vars(self.load).items()})
        chip = T.Chip(**{name: values[index] for name, values in vars(self.chip).items()})
        rows = self.rows.iloc[index].reset_index(drop=True)
        return Prepared(rows, self.arch.take(index), load, chip, self.x[index])

    @property
    def rated_w(self) -> Array:
        """Rated power of all accelerators, W, (n,); of chips without published rating the stated limit."""
        stated, rated = self.rows["gpu_power_limit_w"].to_numpy(float), self.chip.rated_w
        return np.where(np.isnan(rated), stated, rated) * self.load.gpus

    @property
    def limit_w(self) -> Array:
        """What all accelerators may draw, W, (n,): their rated power, or a lower limit that a row states."""
        return np.fmin(self.rows["gpu_power_limit_w"].to_numpy(float), self.chip.rated_w) * self.load.gpus


def find_architecture(rows: pd.DataFrame, tables: Tables) -> Architecture:
    """From the model table where `rows.shape_name` is in it, else guessed from the parameter counts."""
    position = pd.Series(range(len(tables.models)), index=tables.models["model"])
    at = rows["shape_name"].map(position)
    known = at.notna().to_numpy()
    arch = tables.shapes.take(at.fillna(0).to_numpy(int))
    if known.all():
        return arch
    total = np.where(known, arch.total_params, rows["total_params_b"].to_numpy(float) * 1e9)
    active = np.where(known, arch.active_params, rows["active_params_b"].to_numpy(float) * 1e9)
    return arch.where(known, from_parameters(total, active, tables.rules))


def find_chip(gpu: pd.Series, precision: pd.Series, bits: Array, hardware: pd.DataFrame) -> T.Chip:
    """Rated speeds; weights narrower than the matrix units are widened to the next format that has units.

    A peak in bf16 that is not published is half of that in FP8, as it is on every chip that states both; that
    in FP32 is half of that in bf16 (as TF32 is).
    """
    facts = hardware.loc[gpu]
    wide = facts["peak_bf16_tflops"].fillna(facts["peak_fp8_tflops"] / 2)
    bf16 = wide.to_numpy(float)
    fp8 = facts["peak_fp8_tflops"].fillna(wide).to_numpy(float)
    fp4 = facts["peak_fp4_tflops"].fillna(wide).to_numpy(float)
    int8 = facts["peak_int8_tops"].fillna(wide).to_numpy(float)
    at_bits = np.where(bits < 5, fp4, np.where(bits < 9, fp8, np.where(bits > 16, bf16 / 2, bf16)))
    stated = np.where(precision.isin(WIDE), bf16, np.where(precision == "int8", int8, at_bits))
    return T.Chip(
        bandwidth=facts["bandwidth_tb_s"].to_numpy(float) * 1e12,
        peak_weight=stated * 1e12,
        peak_bf16=bf16 * 1e12,
        link=facts["link_gb_s"].to_numpy(float) * 1e9,
        memory=facts["memory_gib"].to_numpy(float) * GIB,
        rated_w=facts["rated_w"].to_numpy(float),
    )


def has_units(p: Prepared, tables: Tables) -> NDArray[np.bool_]:
    """Whether the chip computes in the stated precision, or the weights are published in it, (n,).

    Where neither holds, narrow weights are widened as they are read (W4A16, W8A16), as find_chip takes it. Of
    such formats only the usual one of four bits was measured, and no row of the fit is in 32 bits.
    """
    bits = p.load.weight_bits
    facts = tables.hardware.loc[p.rows["gpu"]]
    published = p.rows["shape_name"].map(tables.models.set_index("model")["native_precision"]).map(NATIVE)
    able = {name: facts[f"peak_{name}_tflops"].notna().to_numpy() for name in ("fp4", "fp8")}
    stated = p.rows["precision"].to_numpy(object)
    usual = np.abs(np.log(bits / WEIGHT_BITS["w4a16"])) < USUAL_BITS
    units = np.select(
        [stated == "fp4", stated == "fp8", stated == "int8", np.isin(stated, WIDE), stated == "fp32"],
        [able["fp4"], able["fp8"], facts["peak_int8_tops"].notna(), usual, False],
        True,
    )
    return np.asarray(units | (published == p.rows["precision"]).to_numpy(), dtype=bool)


def prepare(configurations: pd.DataFrame, tables: Tables, settings: Serving) -> Prepared:
    """Levels, architecture, load, chip and step terms of every configuration; columns as in the module.

    Requests that memory does not hold half way through a mean answer wait: `load.concurrency` is what runs.
    """
    rows = completed(configurations, tables, settings)
    arch = find_architecture(rows, tables)
    bits = weight_bits(rows["precision"], rows["weight_bits"].to_numpy(float), arch.native_four_bit)
    chip = find_chip(rows["gpu"], rows["precision"], bits, tables.hardware)

    def number(column: str) -> Array:
        return rows[column].to_numpy(float)

    # The tables of TensorRT-LLM keep the cache in eight bits wherever the weights are as narrow.
    narrow = (rows["engine"] == TENSORRT).to_numpy() & (bits < 9)
    stated = rows["cache_precision"].to_numpy(object)
    load = T.Load(
        concurrency=number("concurrency"),
        input_tokens=number("input_tokens"),
        cached_tokens=number("cached_input_tokens"),
        output_tokens=number("output_tokens"),
        output_cv=number("output_cv"),
        age_share=number("age_share"),
        gpus=number("gpus"),
        split_by_request=number("split_by_request"),
        weight_bits=bits,
        cache_bits=np.select(
            [stated == "fp8", stated == "bf16", narrow], [8.0, 16.0, 8.0], np.maximum(bits, 16.0)
        ),
    )
    room = requests_that_fit(arch, load, chip, settings)
    running = np.fmin(load.concurrency, np.maximum(room, 1))
    load = replace(load, concurrency=np.where(np.isnan(load.concurrency), np.maximum(room, 1), running))
    generation = tables.hardware.loc[rows["gpu"], "generation"].to_numpy(object)
    usual = np.isin(generation.astype(str), settings.port.usual_generations)
    rows = rows.assign(
        decades=np.log10(load.concurrency / settings.shape.values["middle_batch"]),
        guessed=np.where(arch.known > 0, NONE, rows["model_level"]),
        protocol=NONE,
        run=NONE,
        beyond=NONE,
        ln_gpus=np.log(load.gpus),
        generation=generation,
        port=np.where(usual, NONE, joined(pd.Series(generation), rows["version"])),
        experts=arch.is_moe.astype(float),
        narrow=(bits < 9).astype(float),
    )
    p = Prepared(rows, arch, load, chip, T.terms(arch, load, chip, settings))
    return _with_prompt_slopes(p, settings)


def requests_that_fit(arch: Architecture, load: T.Load, chip: T.Chip, settings: Serving) -> Array:
    """The one memory rule: requests whose cache fits beside the weights, (n,), half way through an answer.

    Saturated engines set the whole output aside.
    """
    saturated = np.isnan(load.concurrency)
    context = load.input_tokens + np.where(saturated, 1.0, 0.5) * load.output_tokens
    return T.sequences_that_fit(arch, load, chip, settings, context)


def completed(configurations: pd.DataFrame, tables: Tables, settings: Serving) -> pd.DataFrame:
    """The rows with all columns, blanks by rule, and the levels of all effects."""
    rows = configurations.reset_index(drop=True)
    if "engine_date" in rows and "engine_year" not in rows:
        rows["engine_year"] = years(rows["engine_date"])
    for column, blank in OPTIONAL.items():
        rows[column] = rows[column].fillna(blank) if column in rows else blank
    rows = rows.assign(
        shape_name=rows["model"].map(tables.names.resolve), laboratory=rows["laboratory"].replace(NONE, OWN)
    )
    facts = tables.models.set_index("model").reindex(rows["shape_name"])
    for column in ("total_params_b", "active_params_b"):
        own = rows[column].to_numpy(float)
        rows[column] = np.where(np.isnan(own), facts[column].to_numpy(float), own)
    sparse = (rows["total_params_b"] > SPARSE_FROM * rows["active_params_b"]) & (rows["gpus"] > 1)
    split = (sparse & (rows["engine"] == TENSORRT)).astype(float)  # as its tables run experts
    year_of = settings.trend.years.values
    tuned = np.where(rows["laboratory"] == OWN, settings.tuned.unstated.distribution.median(), 0.0)
    tuned = np.where(rows["laboratory"].isin(settings.tuned.laboratories), 1.0, tuned)
    year = rows["engine_year"].fillna(year_of["present"])
    prompt = prompt_lengths(rows["task"], settings).to_numpy(float)
    stated = rows["input_tokens"].notna().to_numpy()
    by_size = joined(rows["total_params_b"], rows["active_params_b"])
    model = np.where(rows["shape_name"] != "", rows["shape_name"], by_size)
    quarter = np.floor(year * QUARTERS) / QUARTERS
    version = rows["engine"] + " " + quarter.map("{:.2f}".format)
    rows = rows.assign(
        output_cv=rows["output_cv"].fillna(settings.unstated_output_cv.distribution.median()),
        split_by_request=rows["split_by_request"].fillna(split),
        input_stated=stated,
        input_tokens=np.where(stated, rows["input_tokens"].to_numpy(float), prompt),
        tuned=rows["tuned"].fillna(pd.Series(tuned)),
        years=year - year_of["reference"],
        model_level=model,
        version=version,
        # One length for a task in one edition of a benchmark, which ran on one version.
        prompt=np.where(stated, NONE, joined(rows["task"], version)),
        prompt_slope=0.0,
    )
    parts = [rows["engine"], pd.Series(model), rows["gpu"], rows["gpus"].astype(int), rows["precision"]]
    return rows.assign(pairing=joined(*parts[1:3]), configuration=joined(*parts))


def years(date: pd.Series) -> pd.Series:
    """Dates as YYYY, YYYY-MM or YYYY-MM-DD in years; the middle of what is not stated; blank stays blank."""
    parts = date.astype("str").str.split("-", expand=True).reindex(columns=range(3))
    year, month, day = (pd.to_numeric(parts[i], errors="coerce") for i in range(3))
    return year + np.where(month.isna(), 0.5, ((month - 1) + day.fillna(15.0) / 30.4) / 12)


def prompt_lengths(task: pd.Series, settings: Serving) -> pd.Series:
    """Median length of an unstated prompt of each task, tokens."""
    return task.map({name: float(a.distribution.median()) for name, a in settings.prompt_tokens.items()})


def _with_prompt_slopes(p: Prepared, settings: Serving) -> Prepared:
    """How ln step time changes with a prompt length that is not stated, for one sd of its prior."""
    stated = p.rows["input_stated"].to_numpy(bool)
    spread = {
        task: float(np.log(np.divide(*a.distribution.ppf(np.array([0.841345, 0.158655])))) / 2)
        for task, a in settings.prompt_tokens.items()
    }
    longer = replace(p.load, input_tokens=np.where(stated, 1.0, SLOPE_STEP) * p.load.input_tokens)
    median: Mapping[Any, float] = settings.step.median.values
    coefficients = np.array([median[name] for name in T.TERMS])
    change = np.log((T.terms(p.arch, longer, p.chip, settings) @ coefficients) / (p.x @ coefficients))
    slope = change / np.log(SLOPE_STEP) * p.rows["task"].map(spread).fillna(0.0).to_numpy(float)
    return replace(p, rows=p.rows.assign(prompt_slope=np.where(stated, 0.0, slope)))


def as_run(p: Prepared, support: pd.DataFrame) -> Prepared:
    """With the level of a protocol: blank where one laboratory alone has measured the configuration.

    What is its own there cannot be told from what is the configuration's. support: `laboratory` and
    `configuration` of what was measured.
    """
    pairs = support[["laboratory", "configuration"]].drop_duplicates()
    alone = pairs[~pairs["configuration"].duplicated(keep=False)]
    names = joined(p.rows["laboratory"], p.rows["configuration"])
    one = np.isin(names.astype(str), joined(alone["laboratory"], alone["configuration"]).astype(str))
    return replace(p, rows=p.rows.assign(protocol=np.where(one, NONE, names)))
