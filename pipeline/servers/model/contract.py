"""Contracts of server power and of the evidence on load."""

from pipeline.core.catalogue import Table
from pipeline.core.columns import NOT_NEGATIVE, band, number, schema, text, word

SERVER_TYPES = ["A100", "H100", "B200"]
TERMS = ["fixed", "loss", "gpu_idle_share"]

NODE_POWER_FITS = schema(
    {
        "gpu": word("accelerators of the server type", SERVER_TYPES),
        "term": word("fixed, W; loss, W per W; idle share of rated power", TERMS),
        "ln_mean": number("mean of its logarithm", None),
        "ln_sd": number("standard deviation of its logarithm", NOT_NEGATIVE),
        **{
            f"ln_covariance_{term}": number(f"covariance of the logarithms with {term}", None)
            for term in TERMS
        },
        **band("the term"),
        "server_spread_ln": number(
            "between servers of one type, of the part beside the accelerators, ln", NOT_NEGATIVE
        ),
        "identified_by": text("measurements behind it"),
    },
    "Wall power of servers from accelerator power: posterior of three terms per server type.",
    ["gpu", "term"],
)

NODE_POWER_CURVES = schema(
    {
        "gpu": word("accelerators of the server type", SERVER_TYPES),
        "gpu_share": number("accelerator power over rated power", NOT_NEGATIVE),
        "gpu_w": number("all eight accelerators, W", NOT_NEGATIVE),
        **band("wall power, W", "node_w_{}"),
        **band("wall over accelerator power", "ratio_{}"),
        "rated_node_w": number("rated power of the DGX server, W", NOT_NEGATIVE),
    },
    "Wall power of an eight-accelerator server over the load of its accelerators.",
    ["gpu", "gpu_share"],
)

LOAD_EVIDENCE = schema(
    {
        "service": text("whose demand or nodes"),
        "quantity": text("what is divided by its peak"),
        "window_s": number("length of the windows, s", NOT_NEGATIVE),
        "windows": number("how many", NOT_NEGATIVE),
        "mean_over_peak": number("mean over the highest window", NOT_NEGATIVE),
        "mean_over_p95": number("mean over the 95th percentile of the windows", NOT_NEGATIVE, nullable=True),
        "source": text("key of the bibliography"),
        "note": text("how to read it"),
    },
    "How far mean demand lies below the peak that capacity is kept for.",
    ["service", "quantity"],
)

TABLES = {
    "node_power_fits": Table(NODE_POWER_FITS, "servers"),
    "node_power_curves": Table(NODE_POWER_CURVES, "servers"),
    "load_evidence": Table(LOAD_EVIDENCE, "servers"),
}
