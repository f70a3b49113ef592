"""Contract of the factor table."""

import pandas as pd
import pandera.pandas as pa

from pipeline.contracts.columns import NOT_NEGATIVE, POSITIVE, count, number, schema, text, word
from pipeline.contracts.facts import GENERATIONS
from pipeline.contracts.results import BOUNDARIES, REGIMES

PERS = ["query", "1000 input tokens", "1000 output tokens"]
EVIDENCE = ["measured configuration", "same model", "pooled", "extrapolated"]
KEYS = [
    "model_class",
    "gpu",
    "gpus",
    "precision",
    "requests_in_flight",
    "workload",
    "boundary",
    "site",
    "per",
]
PERCENTS = {"p5": "5th percentile", "p50": "median", "p95": "95th percentile"}
VALUES = {
    "wh": "energy, Wh",
    "onsite_ml": "water evaporated on site, mL",
    "total_ml": "water consumed on site and in the electricity, mL",
}


def _values() -> dict[str, pa.Column]:
    """Percentiles over what is not known, and the Monte Carlo error of the median; water may be blank."""
    columns = {}
    for unit, what in VALUES.items():
        blank = unit != "wh"
        for name, words in PERCENTS.items():
            columns[f"{name}_{unit}"] = number(f"{what}: {words} over what is not known", NOT_NEGATIVE, blank)
        error = f"Monte Carlo standard error of p50_{unit}"
        columns[f"mc_error_p50_{unit}"] = number(error, NOT_NEGATIVE, blank)
    return columns


def _ordered(table: pd.DataFrame) -> pd.Series:
    right = pd.Series(True, table.index)
    for unit in VALUES:
        low, middle, high = (table[f"{name}_{unit}"] for name in PERCENTS)
        right &= middle.isna() | ((low <= middle) & (middle <= high))
    return right


FACTORS = schema(
    {
        "version": text("version of the project that gives the number"),
        "model_class": text("models of like size; sizes in 10^9 parameters"),
        "reference_model": text("the model that stands for the class"),
        "total_params_b": number("its parameters, 10^9"),
        "active_params_b": number("its parameters active per token, 10^9"),
        "gpu_generation": word("family of the accelerator", GENERATIONS),
        "gpu": text("accelerator"),
        "gpus": count("accelerators of the instance", POSITIVE),
        "precision": word("of the weights", ["fp4", "fp8", "bf16"]),
        "requests_in_flight": text("band of requests in flight on the instance, least and most"),
        "workload": word("short: turn of a chat service; long: query to a reasoning model", [*REGIMES]),
        "input_tokens": count("mean prompt of a service of median lengths", POSITIVE),
        "output_tokens": count("mean answer of a service of median lengths", POSITIVE),
        "boundary": word("gpu: accelerators; node: serving servers; facility: idle too, cooling", BOUNDARIES),
        "site": text("scenario of sites (params.yaml); it matters at the facility alone"),
        "per": word("what the value is for", PERS),
        **_values(),
        "evidence": word("what throughput and accelerator power rest on", EVIDENCE),
        "method": text("file of the project that says how it is computed"),
    },
    [
        pa.Check(_ordered, name="p50_wh", error="P5 <= P50 <= P95"),
        pa.Check(lambda table: ~table.duplicated(KEYS), name="per", error="each factor once"),
    ],
    "Energy and water per query and per 1,000 tokens, by model class, accelerator, batch, boundary and site.",
)
