"""Contracts of the distributions that are fitted to token lengths, and of the scenarios drawn from them."""

import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import NOT_NEGATIVE, band, count, number, schema, text, word, yes_no
from pipeline.core.units import QUANTITIES
from pipeline.ingest.contract import CLASSES_OF_TRAFFIC
from pipeline.ingest.contract_telemetry import TRAFFIC

SCENARIOS = ["published", "production"]
FAMILIES = ["exponential", "gamma", "lognormal", "lognormal_mixture_2", "lognormal_mixture_3"]
CORRELATION = pa.Check.in_range(-1, 1)

_FIVE = "p5 p25 p50 p75 p95"
LENGTH_FITS = schema(
    {
        "traffic": word("kind of requests", TRAFFIC),
        "quantity": word("which tokens", QUANTITIES),
        "family": word("the candidate", FAMILIES),
        "parameters": count("how many were fitted", pa.Check.ge(1)),
        "requests": number("requests behind the fit", NOT_NEGATIVE),
        "log_likelihood_per_request": number("binned, at the best parameters, nats", None),
        "aic_per_request": number("Akaike's criterion over the number of requests", None),
        "held_out_log_likelihood": number(
            "binned, per request, mean over parts that the fit has not seen, nats", None
        ),
        "quantile_error": number(
            "root mean square ln(fitted / observed) over P5, P25, P50, P75, P95", NOT_NEGATIVE
        ),
        "held_out_quantile_error": number(
            "the same on the parts that the fit has not seen, mean", NOT_NEGATIVE
        ),
        "observed_mean": number("mean, observed, tokens (bin centres)", NOT_NEGATIVE),
        "fitted_mean": number("mean, fitted, cut at the longest observed, tokens", NOT_NEGATIVE),
        **band("tokens, observed", "observed_{}", _FIVE),
        **band("tokens, fitted", "fitted_{}", _FIVE),
        "chosen": yes_no("best held-out likelihood of its group"),
    },
    "Every family fitted to the token lengths of every kind of traffic, with its scores.",
    ["traffic", "quantity", "family"],
)

LENGTH_PARAMETERS = schema(
    {
        "traffic": word("kind of requests", TRAFFIC),
        "quantity": word("which tokens", QUANTITIES),
        "family": word("the candidate", FAMILIES),
        "parameter": text("ln_scale, ln_shape; of a mixture ln_median_k, ln_sigma_k, logit_k"),
        "value": number("fitted value", None),
        "standard_error": number(
            "from the information matrix, requests taken as independent", NOT_NEGATIVE, nullable=True
        ),
    },
    "Parameters of every fitted family.",
    ["traffic", "quantity", "family", "parameter"],
)

LENGTH_TRAFFIC = schema(
    {
        "traffic": word("kind of requests", TRAFFIC),
        "upper_input_tokens": number(
            "end of the last bin with requests, tokens", NOT_NEGATIVE, nullable=True
        ),
        "upper_output_tokens": number("end of the last bin with requests, tokens", NOT_NEGATIVE),
        "spearman_input_output": number("rank correlation, where known", CORRELATION, nullable=True),
    },
    "What sampling needs besides the marginal fits.",
    ["traffic"],
)

LENGTH_QUANTILES = schema(
    {
        "scenario": word("lengths as assumed by the published analysis, or as in production", SCENARIOS),
        "regime": word("short: standard query; long: reasoning", ["short", "long"]),
        "quantity": word("which tokens", QUANTITIES),
        "statistic": text("mean over queries, or the percentile"),
        "probability": number("of the percentile; blank for the mean", NOT_NEGATIVE, nullable=True),
        **band("tokens over epistemic samples (level between services)", "tokens_{}"),
        "traced_tokens": number("the same statistic of the trace itself", NOT_NEGATIVE, nullable=True),
    },
    "Lengths over queries in both scenarios, with their epistemic intervals.",
    ["scenario", "regime", "quantity", "statistic"],
)

LENGTH_SERVICES = schema(
    {
        "class": word("kind of traffic", CLASSES_OF_TRAFFIC),
        "quantity": word("which tokens", QUANTITIES),
        "key": text("the service: row of data/published/service_lengths.csv"),
        "tokens": number("its mean, tokens a request"),
        "services": count("of the class, itself among them", pa.Check.gt(1)),
        "class_centre_tokens": number("geometric mean over the services of the class, tokens"),
        "class_ln_spread": number("standard deviation of ln of their means", NOT_NEGATIVE),
        **band("tokens that the others predict", "left_out_{}"),
        "left_out_ln_error": number("ln of its mean over that median", None),
        "inside_90": yes_no("whether its mean lies in that interval"),
    },
    "Mean lengths of services by class, each predicted from the others of its class.",
    ["key", "quantity"],
)

TABLES = {
    "length_services": Table(LENGTH_SERVICES, "lengths"),
    "length_fits": Table(LENGTH_FITS, "lengths"),
    "length_parameters": Table(LENGTH_PARAMETERS, "lengths"),
    "length_traffic": Table(LENGTH_TRAFFIC, "lengths"),
    "length_quantiles": Table(LENGTH_QUANTILES, "lengths"),
}
