"""Contracts of the facts about models, accelerators and machines that the serving model is built from.

Aliases are separated by semicolons: other spellings, and other models that differ in nothing but their
weights. Parameter counts are those of the model cards.
"""

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import transcribed
from pipeline.core.columns import (
    CONFIDENCES,
    NOT_NEGATIVE,
    POSITIVE,
    count,
    number,
    origin,
    row_check,
    schema,
    text,
    word,
)
from pipeline.ingest.names import ENCODER

ATTENTION = [
    "full",  # every layer attends to the whole context
    "sliding",  # some layers attend to a window
    "latent",  # one compressed state a token and layer, shared by all heads
    "hybrid",  # some layers keep a state of fixed size instead of a cache
    ENCODER,  # reads its input at once and answers with numbers
]
NATIVE_PRECISIONS = ["FP16", "BF16", "FP8", "MXFP4", "INT4"]
GENERATIONS = [
    "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell", "Rubin", "CDNA 2", "CDNA 3", "CDNA 4",
    "TPU v4", "TPU v5e", "TPU v5p", "TPU v6e", "Ironwood", "Maia", "Gaudi 2", "Gaudi 3", "Trainium",
    "Inferentia", "Apple M3", "Apple M4",
]  # fmt: skip
# recalled: from memory of a configuration file or data sheet, not checked against one
FACT_CONFIDENCES = [*CONFIDENCES, "recalled"]
# What is equal in models of one shape: all that the serving model knows of them.
SHAPE = [
    "total_params_b", "active_params_b", "layers", "hidden_size", "attention_heads", "kv_heads", "head_dim",
    "attention", "full_attention_layers", "sliding_layers", "window_tokens", "state_layers", "latent_rank",
    "latent_rope_dim", "experts", "experts_per_token", "shared_experts", "vocab_size", "native_precision",
]  # fmt: skip


def _of_shape(models: pd.DataFrame) -> pd.Series:
    """Whether each row that names another has the shape of one that names none."""
    named = models["same_shape_as"]
    own = models[named.isna()].set_index("model")
    there = named.isin(own.index)
    theirs = own.reindex(named.where(there))[SHAPE].reset_index(drop=True)
    ours = models[SHAPE].reset_index(drop=True)
    equal = ((ours == theirs) | (ours.isna() & theirs.isna())).all(axis=1).to_numpy()
    return named.isna() | (there & equal)


MODELS = schema(
    {
        "model": pa.Column("str", unique=True, description="one name per model in all tables"),
        "upstream": pa.Column("str", unique=True, description="repository of the configuration"),
        "aliases": text("other names, separated by semicolons", nullable=True),
        "same_shape_as": text("model of the same shape, whose measurements hold", nullable=True),
        "total_params_b": number("parameters, 10^9"),
        "active_params_b": number("parameters active per token, 10^9"),
        "layers": count("layers", POSITIVE),
        "hidden_size": count("width of the residual stream", POSITIVE),
        "attention_heads": count("query heads", POSITIVE),
        "kv_heads": number("heads with keys and values; blank if latent", nullable=True),
        "head_dim": number("elements of a head; blank if latent", nullable=True),
        "attention": word("kind of attention", ATTENTION),
        "full_attention_layers": count("layers that attend to the whole context", POSITIVE),
        "sliding_layers": count("layers that attend to a window", NOT_NEGATIVE),
        "window_tokens": number("length of that window", nullable=True),
        "state_layers": count("layers with a state of fixed size", NOT_NEGATIVE),
        "latent_rank": number("elements of the latent, a token and layer", nullable=True),
        "latent_rope_dim": number("position elements beside it", nullable=True),
        "experts": number("routed experts of a layer; blank if dense", nullable=True),
        "experts_per_token": number("routed experts a token uses; blank if dense", nullable=True),
        "shared_experts": number("experts that every token uses", nullable=True),
        "vocab_size": count("rows of the embedding", POSITIVE),
        "max_context_tokens": count("longest context of the published configuration", POSITIVE),
        "context_source": text("key of paper/references.bib for it"),
        "context_where": text("place within that source"),
        "native_precision": word("of the published weights", NATIVE_PRECISIONS),
        **origin(FACT_CONFIDENCES),
    },
    "Open models: shape and size, one a row.",
    checks=[
        row_check("active_params_b", "at most total_params_b", "active_params_b <= total_params_b"),
        row_check(
            "experts",
            "a number exactly where not all parameters are active",
            "(active_params_b < total_params_b) == experts.notna()",
        ),
        row_check(
            "experts_per_token", "fewer than experts", "experts.isna() | (experts_per_token < experts)"
        ),
        row_check(
            "latent_rank",
            "a number exactly where attention is latent",
            "(attention == 'latent') == latent_rank.notna()",
        ),
        row_check(
            "kv_heads",
            "kv_heads and head_dim, unless attention is latent",
            lambda table: (
                (table["attention"] == "latent") | table[["kv_heads", "head_dim"]].notna().all(axis=1)
            ),
        ),
        row_check(
            "window_tokens",
            "a number exactly where layers slide",
            "(sliding_layers > 0) == window_tokens.notna()",
        ),
        row_check(
            "layers",
            "at least the layers that attend, and those with a state",
            lambda table: (
                (table[["full_attention_layers", "sliding_layers"]].sum(axis=1) <= table["layers"])
                & (table["state_layers"] <= table["layers"])
            ),
        ),
        row_check("same_shape_as", "a model of the same shape that names no other", _of_shape),
    ],
)

HARDWARE = schema(
    {
        "gpu": pa.Column("str", unique=True, description="accelerator, as in all tables"),
        "aliases": text("other names, separated by semicolons", nullable=True),
        "generation": word("family of the chip", GENERATIONS),
        "memory_gib": number("memory of one accelerator as its tools report it, GiB"),
        "bandwidth_tb_s": number("memory bandwidth, TB/s; blank: not read", nullable=True),
        "peak_bf16_tflops": number("dense, 10^12 FLOP/s; blank: not published", nullable=True),
        "peak_fp8_tflops": number("dense; blank: no such units", nullable=True),
        "peak_fp4_tflops": number("dense; blank: no such units", nullable=True),
        "peak_int8_tops": number("dense, 10^12 operations/s; blank: none, or not read", nullable=True),
        "rated_w": number("rated power of one accelerator, W; blank: not published", nullable=True),
        "boundary": word(
            "of rated_w: the accelerator alone, or with its share of host and network", ["gpu", "node"]
        ),
        "gpus_per_node": number("accelerators of the usual server; blank: no usual one", nullable=True),
        "link_gb_s": number("link between accelerators, one direction, GB/s; blank: not read", nullable=True),
        "node_rated_kw": number("rated power of the vendor's server", nullable=True),
        "node_source": text("key of paper/references.bib for it", nullable=True),
        **origin(FACT_CONFIDENCES),
    },
    "Accelerators: rated speed, memory and power, one a row.",
    checks=[
        row_check(
            "node_source",
            "a source exactly where node_rated_kw is given",
            "node_rated_kw.notna() == node_source.notna()",
        )
    ],
)

CLOUD_INSTANCES = schema(
    {
        "instance": pa.Column("str", unique=True, description="name of the machine type"),
        "provider": text("who rents it out"),
        "gpu": text("accelerator, as in hardware.csv"),
        "gpus": number("accelerators of one machine; below 1: a part of one"),
        **origin(FACT_CONFIDENCES),
    },
    "Machines of cloud providers: which accelerators and how many, one a row.",
)

CLOSED_SERVICES = schema(
    {
        "service": pa.Column("str", unique=True, description="name that an API knows, without its date"),
        "provider": text("who runs it"),
        "model_class": text("class of energy.deployments.classes in params.yaml that it is judged to be of"),
        "tier": word("what the class rests on: nobody publishes it", ["judged"]),
        "judged_on": text("year and month"),
        "reason": text("why that class"),
        **origin(FACT_CONFIDENCES),
    },
    "Services whose models are not published: the class of models that each is judged to be of, one a row.",
)

TABLES = transcribed(
    {
        "published/models": MODELS,
        "hardware": HARDWARE,
        "cloud_instances": CLOUD_INSTANCES,
        "closed_services": CLOSED_SERVICES,
    }
)
