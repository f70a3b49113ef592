"""Contracts of the facts about models and accelerators that the serving model is built from.

Aliases are separated by semicolons: other spellings, and other models of the same shape. Parameter counts are
those of the model cards.
"""

import pandas as pd
import pandera.pandas as pa

from pipeline.contracts.columns import CONFIDENCES, NOT_NEGATIVE, POSITIVE, count, number, schema, text, word

ATTENTION = [
    "full",  # every layer attends to the whole context
    "sliding",  # some layers attend to a window
    "latent",  # one compressed state a token and layer, shared by all heads
    "hybrid",  # some layers keep a state of fixed size instead of a cache
]
NATIVE_PRECISIONS = ["FP16", "BF16", "FP8", "MXFP4", "INT4"]
GENERATIONS = ["Ampere", "Hopper", "Ada", "Blackwell", "CDNA 3", "CDNA 4", "Ironwood", "Maia", "Rubin"]
# recalled: from memory of a configuration file or data sheet, not checked against one
FACT_CONFIDENCES = [*CONFIDENCES, "recalled"]

MODELS = schema(
    {
        "model": pa.Column("str", unique=True, description="one name per model in all tables"),
        "upstream": pa.Column("str", unique=True, description="repository of the configuration"),
        "aliases": text("other names, separated by semicolons", nullable=True),
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
        "native_precision": word("of the published weights", NATIVE_PRECISIONS),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", FACT_CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: table["active_params_b"] <= table["total_params_b"],
            name="active_params_b",
            error="at most total_params_b",
        ),
        pa.Check(
            lambda table: (table["active_params_b"] < table["total_params_b"]) == table["experts"].notna(),
            name="experts",
            error="a number exactly where not all parameters are active",
        ),
        pa.Check(
            lambda table: table["experts"].isna() | (table["experts_per_token"] < table["experts"]),
            name="experts_per_token",
            error="fewer than experts",
        ),
        pa.Check(
            lambda table: (table["attention"] == "latent") == table["latent_rank"].notna(),
            name="latent_rank",
            error="a number exactly where attention is latent",
        ),
        pa.Check(
            lambda table: (
                (table["attention"] == "latent") | table[["kv_heads", "head_dim"]].notna().all(axis=1)
            ),
            name="kv_heads",
            error="kv_heads and head_dim, unless attention is latent",
        ),
        pa.Check(
            lambda table: (table["sliding_layers"] > 0) == table["window_tokens"].notna(),
            name="window_tokens",
            error="a number exactly where layers slide",
        ),
        pa.Check(
            lambda table: (
                table[["full_attention_layers", "sliding_layers", "state_layers"]].sum(axis=1)
                <= table["layers"]
            ),
            name="layers",
            error="at least the layers of all kinds together",
        ),
    ],
    "Open models: shape and size, one a row.",
)

HARDWARE = schema(
    {
        "gpu": pa.Column("str", unique=True, description="accelerator, as in all tables"),
        "aliases": text("other names, separated by semicolons", nullable=True),
        "generation": word("family of the chip", GENERATIONS),
        "memory_gib": number("memory of one accelerator, GiB"),
        "bandwidth_tb_s": number("memory bandwidth, TB/s"),
        "peak_bf16_tflops": number("dense, 10^12 FLOP/s; blank: not published", nullable=True),
        "peak_fp8_tflops": number("dense; blank: no such units", nullable=True),
        "peak_fp4_tflops": number("dense; blank: no such units", nullable=True),
        "rated_w": number("rated power of one accelerator, W"),
        "gpus_per_node": count("accelerators of the usual server", POSITIVE),
        "link_gb_s": number("link between accelerators, one direction, GB/s"),
        "node_rated_kw": number("rated power of the vendor's server", nullable=True),
        "node_source": text("key of paper/references.bib for it", nullable=True),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", FACT_CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: table["node_rated_kw"].notna() == table["node_source"].notna(),
            name="node_source",
            error="a source exactly where node_rated_kw is given",
        ),
        pa.Check(
            lambda table: table["peak_bf16_tflops"].notna() | table["peak_fp8_tflops"].notna(),
            name="peak_bf16_tflops",
            error="a number, unless peak_fp8_tflops is given",
        ),
    ],
    "Accelerators: rated speed, memory and power, one a row.",
)

FACTS: dict[str, pa.DataFrameSchema] = {"models": MODELS, "hardware": HARDWARE}


def spellings(table: pd.DataFrame, columns: list[str]) -> dict[str, list[str]]:
    """All names of each row by its first column, aliases split."""
    return {
        str(names[0]): [part for name in names if isinstance(name, str) for part in name.split(";")]
        for names in table[columns].itertuples(index=False)
    }
