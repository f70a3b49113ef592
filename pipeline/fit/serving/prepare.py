"""From a table of configurations to what the step and power models need.

Configurations have the columns

    model (name or missing), total_params_b, active_params_b (used where the model is unknown), gpu, gpus,
    precision (fp4, fp8, bf16), stack (one of STACKS), version (of the engine), concurrency (missing:
    saturated), input_tokens, output_tokens, output_cv, split_by_request (0 or 1), age_share (may be absent:
    steady state).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.fit.serving import terms as T
from pipeline.fit.serving.architecture import Architecture, Array, from_table, weight_bits
from pipeline.fit.serving.names import Names, joined
from pipeline.fit.serving.shapes import ShapeRules, fit_shape_rules, from_parameters

NONE = "none"  # a level without effect
VLLM, TENSORRT = "vLLM", "TensorRT-LLM"
# The software stacks that were measured. Those of 2024 ran static batches and differ much from today's.
STACKS = (VLLM, TENSORRT, "vLLM 2024", "TensorRT-LLM 2024")
GIB = 2.0**30
NATIVE = {"MXFP4": "fp4", "INT4": "fp4", "FP8": "fp8"}  # precision of published weights


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
        models, hardware.set_index("gpu"), Names(models), from_table(models), fit_shape_rules(models)
    )


@dataclass(frozen=True)
class Prepared:
    """n configurations: levels of every effect as columns of `rows`, and arrays (n,); x is (n, K)."""

    rows: pd.DataFrame
    arch: Architecture
    load: T.Load
    chip: T.Chip
    x: Array

    def with_load(self, load: T.Load) -> "Prepared":
        """The same configurations under another load."""
        return replace(self, load=load, x=T.terms(self.arch, load, self.chip))

    def where(self, mask: NDArray[np.bool_], other: "Prepared") -> "Prepared":
        """These configurations where the mask holds, those of `other`, row by row, elsewhere."""
        load = {k: np.where(mask, v, getattr(other.load, k)) for k, v in vars(self.load).items()}
        chip = {k: np.where(mask, v, getattr(other.chip, k)) for k, v in vars(self.chip).items()}
        rows = pd.concat([self.rows[mask], other.rows[~mask]]).sort_index()
        x = np.where(mask[:, None], self.x, other.x)
        return Prepared(rows, self.arch.where(mask, other.arch), T.Load(**load), T.Chip(**chip), x)

    def take(self, index: NDArray[np.integer]) -> "Prepared":
        """The configurations at these positions."""
        load = T.Load(**{name: values[index] for name, values in vars(self.load).items()})
        chip = T.Chip(**{name: values[index] for name, values in vars(self.chip).items()})
        return Prepared(self.rows.iloc[index], self.arch.take(index), load, chip, self.x[index])


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


def find_chip(gpu: pd.Series, bits: Array, hardware: pd.DataFrame) -> T.Chip:
    """Rated speeds; weights narrower than the matrix units are widened to the next format that has units.

    A peak in bf16 that is not published is half of that in FP8, as it is on every chip that states both.
    """
    facts = hardware.loc[gpu]
    wide = facts["peak_bf16_tflops"].fillna(facts["peak_fp8_tflops"] / 2)
    bf16 = wide.to_numpy(float)
    fp8 = facts["peak_fp8_tflops"].fillna(wide).to_numpy(float)
    fp4 = facts["peak_fp4_tflops"].fillna(wide).to_numpy(float)
    return T.Chip(
        bandwidth=facts["bandwidth_tb_s"].to_numpy(float) * 1e12,
        peak_weight=np.where(bits < 5, fp4, np.where(bits < 9, fp8, bf16)) * 1e12,
        peak_bf16=bf16 * 1e12,
        link=facts["link_gb_s"].to_numpy(float) * 1e9,
        memory=facts["memory_gib"].to_numpy(float) * GIB,
        rated_w=facts["rated_w"].to_numpy(float),
    )


def has_units(p: "Prepared", tables: Tables) -> NDArray[np.bool_]:
    """Whether the chip computes in the stated precision, or the weights are published in it, (n,).

    Where neither holds, narrow weights are widened as they are read (W4A16, W8A16), as find_chip takes it.
    """
    facts = tables.hardware.loc[p.rows["gpu"]]
    published = p.rows["shape_name"].map(tables.models.set_index("model")["native_precision"]).map(NATIVE)
    able = {name: facts[f"peak_{name}_tflops"].notna().to_numpy() for name in ("fp4", "fp8")}
    stated = p.rows["precision"].to_numpy(object)
    units = np.where(stated == "fp4", able["fp4"], np.where(stated == "fp8", able["fp8"], True))
    return np.asarray(units | (published == p.rows["precision"]).to_numpy(), dtype=bool)


def kernel_precision(rows: pd.DataFrame, arch: Architecture, hardware: pd.DataFrame) -> NDArray[np.object_]:
    """Precision of the arithmetic, which decides the kernels.

    Weights published in four bits run on bf16 activations (a kind of kernel of its own, "w4a16": what it
    costs says nothing about bf16 weights), except with TensorRT-LLM on chips with four-bit units. vLLM was
    measured with one quantised kind of kernel, fp8: its fp4 rows stand with those.
    """
    stated = rows["precision"].to_numpy(object)
    vllm = (rows["stack"] != TENSORRT).to_numpy()
    has_fp4 = hardware.loc[rows["gpu"], "peak_fp4_tflops"].notna().to_numpy()
    native = np.where(~vllm & has_fp4, "fp4", "w4a16")
    other = np.where(vllm & (stated == "fp4"), "fp8", stated)
    return np.where(arch.native_four_bit > 0, native, other)


def _levels(rows: pd.DataFrame, arch: Architecture, tables: Tables) -> pd.DataFrame:
    """The columns that effects go by; NONE where an effect does not apply."""
    kind = np.where(arch.latent_dim > 0, "latent", np.where(arch.state_layers > 0, "state", NONE))
    levels = pd.DataFrame(
        {
            "stack": rows["stack"],
            # A saturated table does not give its batch, so it says nothing about time per step and layer.
            "timed_stack": rows["stack"].where(rows["concurrency"].notna(), NONE),
            "version": rows["version"],
            "gpu": rows["gpu"],
            "kernel": kernel_precision(rows, arch, tables.hardware),
            "sparsity": np.where(arch.is_moe, "moe", "dense"),
            "attention_kind": kind,
            "model": rows["shape_name"].where(rows["shape_name"] != "", NONE),
        }
    )
    # One number a measured configuration would cost more than it says where batches were static.
    described = (levels["model"] != NONE) & rows["stack"].isin([VLLM, TENSORRT])
    parts = [rows["stack"], rows["shape_name"], rows["gpu"], rows["gpus"].astype(int), levels["kernel"]]
    return levels.assign(configuration=np.where(described, joined(*parts), NONE))


def prepare(configurations: pd.DataFrame, tables: Tables) -> Prepared:
    """Levels, architecture, load, chip and step terms of every configuration; columns as in the module."""
    rows = configurations.reset_index(drop=True)
    rows = rows.assign(shape_name=rows["model"].map(tables.names.resolve))
    arch = find_architecture(rows, tables)
    bits = weight_bits(rows["precision"], arch.native_four_bit)
    chip = find_chip(rows["gpu"], bits, tables.hardware)
    tensorrt_cache = (rows["stack"] == TENSORRT).to_numpy() & (bits < 9)  # its tables keep the cache in fp8

    def number(column: str) -> Array:
        return rows[column].to_numpy(float)

    load = T.Load(
        concurrency=number("concurrency"),
        input_tokens=number("input_tokens"),
        output_tokens=number("output_tokens"),
        output_cv=number("output_cv"),
        age_share=number("age_share") if "age_share" in rows else np.ones(len(rows)),
        gpus=number("gpus"),
        split_by_request=number("split_by_request"),
        weight_bits=bits,
        cache_bits=np.where(tensorrt_cache, 8.0, 16.0),
    )
    whole = load.input_tokens + load.output_tokens  # saturated engines set the whole output aside
    room = np.maximum(T.sequences_that_fit(arch, load, chip, T.FULL_MEMORY_SHARE, whole), 1)
    load = replace(load, concurrency=np.where(np.isnan(load.concurrency), room, load.concurrency))
    levels = _levels(rows, arch, tables)
    rows = pd.concat([rows.drop(columns=[c for c in levels if c in rows]), levels], axis=1)
    return Prepared(rows, arch, load, chip, T.terms(arch, load, chip))
