"""Contracts of request traffic: lengths in separable parts, request rates, and the fits to them."""

import pandera.pandas as pa

from pipeline.contracts.telemetry import QUANTITIES

TRAFFIC = ["conversation", "code", "reasoning", "chat_benchmark"]
SCENARIOS = ["published", "production"]
FAMILIES = ["exponential", "gamma", "lognormal", "lognormal_mixture_2", "lognormal_mixture_3"]


def _text(description: str, values: list[str] | None = None) -> pa.Column:
    return pa.Column("str", pa.Check.isin(values) if values else None, description=description)


def _number(description: str, minimum: float | None = 0.0, nullable: bool = False) -> pa.Column:
    check = pa.Check.ge(minimum) if minimum is not None else None
    return pa.Column("float64", check, nullable=nullable, description=description)


def _schema(columns: dict[str, pa.Column], unique: list[str], description: str) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, unique=unique, strict=True, ordered=True, description=description)


TOKEN_LENGTH_PARTS = _schema(
    {
        "traffic": _text("kind of requests", TRAFFIC),
        "part": _text("half hour of the trace, or group of clients: a fit to the others is scored on it"),
        "quantity": _text("which tokens", QUANTITIES),
        "from_tokens": _number("lower edge of the bin, included"),
        "to_tokens": _number("upper edge of the bin, not included"),
        "requests": _number("requests in the bin (rate times time for ServeGen)"),
    },
    ["traffic", "part", "quantity", "from_tokens"],
    "Histograms of token lengths, split so that a fit can be tested on requests it has not seen.",
)

REQUEST_RATES = _schema(
    {
        "service": _text("the traced service"),
        "start_s": _number("start of the window after the first whole one, s"),
        "window_s": _number("length of the window, s"),
        "requests": _number("requests that came in (rate times time for ServeGen)"),
        "input_tokens": _number("prompt tokens of these requests", nullable=True),
        "output_tokens": _number("output tokens of these requests", nullable=True),
    },
    ["service", "start_s"],
    "How demand moves within the traced time; blank where the source gives requests alone.",
)

_QUANTILES = {
    f"{kind}_p{q}": _number(f"{q}th percentile, {kind}, tokens")
    for kind in ("observed", "fitted")
    for q in (5, 25, 50, 75, 95)
}
LENGTH_FITS = _schema(
    {
        "traffic": _text("kind of requests", TRAFFIC),
        "quantity": _text("which tokens", QUANTITIES),
        "family": _text("the candidate", FAMILIES),
        "parameters": pa.Column("int64", pa.Check.ge(1), description="how many were fitted"),
        "requests": _number("requests behind the fit"),
        "log_likelihood_per_request": _number("binned, at the best parameters, nats", None),
        "aic_per_request": _number("Akaike's criterion over the number of requests", None),
        "held_out_log_likelihood": _number(
            "binned, per request, mean over parts that the fit has not seen, nats", None
        ),
        "quantile_error": _number("root mean square ln(fitted / observed) over P5, P25, P50, P75, P95"),
        "held_out_quantile_error": _number("the same on the parts that the fit has not seen, mean"),
        "observed_mean": _number("mean, observed, tokens (bin centres)"),
        "fitted_mean": _number("mean, fitted, cut at the longest observed, tokens"),
        **_QUANTILES,
        "chosen": pa.Column(
            "str", pa.Check.isin(["yes", "no"]), description="best held-out likelihood of its group"
        ),
    },
    ["traffic", "quantity", "family"],
    "Every family fitted to the token lengths of every kind of traffic, with its scores.",
)

LENGTH_PARAMETERS = _schema(
    {
        "traffic": _text("kind of requests", TRAFFIC),
        "quantity": _text("which tokens", QUANTITIES),
        "family": _text("the candidate", FAMILIES),
        "parameter": _text("ln_scale, ln_shape; of a mixture ln_median_k, ln_sigma_k, logit_k"),
        "value": _number("fitted value", None),
        "standard_error": _number(
            "from the information matrix, requests taken as independent", nullable=True
        ),
    },
    ["traffic", "quantity", "family", "parameter"],
    "Parameters of every fitted family.",
)

LENGTH_TRAFFIC = _schema(
    {
        "traffic": _text("kind of requests", TRAFFIC),
        "upper_input_tokens": _number("end of the last bin with requests, tokens", nullable=True),
        "upper_output_tokens": _number("end of the last bin with requests, tokens"),
        "spearman_input_output": pa.Column(
            "float64", pa.Check.in_range(-1, 1), nullable=True, description="rank correlation, where known"
        ),
    },
    ["traffic"],
    "What sampling needs besides the marginal fits.",
)

LENGTH_QUANTILES = _schema(
    {
        "scenario": _text("lengths as assumed by the published analysis, or as in production", SCENARIOS),
        "regime": _text("short: standard query; long: reasoning", ["short", "long"]),
        "quantity": _text("which tokens", QUANTITIES),
        "statistic": _text("mean over queries, or the percentile"),
        "probability": _number("of the percentile; blank for the mean", nullable=True),
        "tokens_p5": _number("5th percentile over what we do not know (level between services)"),
        "tokens_p50": _number("median over what we do not know"),
        "tokens_p95": _number("95th percentile over what we do not know"),
        "traced_tokens": _number("the same statistic of the trace itself", nullable=True),
    },
    ["scenario", "regime", "quantity", "statistic"],
    "Lengths over queries in both scenarios, with the interval from what we do not know.",
)
