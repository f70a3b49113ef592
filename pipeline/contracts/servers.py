"""Contracts of server power and of the evidence on load."""

import pandera.pandas as pa

SERVER_TYPES = ["A100", "H100", "B200"]
TERMS = ["fixed", "loss", "gpu_idle_share"]


def _text(description: str, values: list[str] | None = None) -> pa.Column:
    return pa.Column("str", pa.Check.isin(values) if values else None, description=description)


def _number(description: str, minimum: float | None = 0.0) -> pa.Column:
    check = pa.Check.ge(minimum) if minimum is not None else None
    return pa.Column("float64", check, description=description)


NODE_POWER_FITS = pa.DataFrameSchema(
    {
        "gpu": _text("accelerators of the server type", SERVER_TYPES),
        "term": _text("fixed, W; loss, W per W; idle share of rated power", TERMS),
        "ln_mean": _number("mean of its logarithm", None),
        "ln_sd": _number("standard deviation of its logarithm"),
        **{
            f"ln_covariance_{term}": _number(f"covariance of the logarithms with {term}", None)
            for term in TERMS
        },
        "p5": _number("5th percentile"),
        "p50": _number("median"),
        "p95": _number("95th percentile"),
        "server_spread_ln": _number("between servers of one type, of the part beside the accelerators, ln"),
        "identified_by": _text("measurements behind it"),
    },
    unique=["gpu", "term"],
    strict=True,
    ordered=True,
    description="Wall power of servers from accelerator power: posterior of three terms per server type.",
)

NODE_POWER_CURVES = pa.DataFrameSchema(
    {
        "gpu": _text("accelerators of the server type", SERVER_TYPES),
        "gpu_share": _number("accelerator power over rated power"),
        "gpu_w": _number("all eight accelerators, W"),
        **{f"node_w_p{q}": _number(f"wall power, {q}th percentile, W") for q in (5, 50, 95)},
        **{f"ratio_p{q}": _number(f"wall over accelerator power, {q}th percentile") for q in (5, 50, 95)},
        "rated_node_w": _number("rated power of the DGX server, W"),
    },
    unique=["gpu", "gpu_share"],
    strict=True,
    ordered=True,
    description="Wall power of an eight-accelerator server over the load of its accelerators.",
)

LOAD_EVIDENCE = pa.DataFrameSchema(
    {
        "service": _text("whose demand or nodes"),
        "quantity": _text("what is divided by its peak"),
        "window_s": _number("length of the windows, s"),
        "windows": _number("how many"),
        "mean_over_peak": _number("mean over the highest window"),
        "mean_over_p95": pa.Column(
            "float64",
            pa.Check.ge(0),
            nullable=True,
            description="mean over the 95th percentile of the windows",
        ),
        "source": _text("key of the bibliography"),
        "note": _text("how to read it"),
    },
    unique=["service", "quantity"],
    strict=True,
    ordered=True,
    description="How far mean demand lies below the peak that capacity is kept for.",
)
