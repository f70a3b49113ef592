"""Contract of the factor table."""

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import (
    BOUNDARIES,
    EVERY_REGIME,
    NOT_NEGATIVE,
    POSITIVE,
    REGIME_WORDS,
    count,
    number,
    row_check,
    schema,
    text,
    word,
)
from pipeline.ingest.contract_facts import GENERATIONS

PERS = ["query", "1000 input tokens", "1000 output tokens"]
SCHEMA_VERSION = 3  # raised when columns change; 2: no carbon, no agents; 1: bands as "1-8", one tier
EVIDENCE = [
    "measured",  # nothing of the row lies beyond the measurements
    "measured configuration",  # model, accelerators and precision were measured; `beyond` says what was not
    "same model",  # the model was measured, on other accelerators, in another precision, or without power
    "pooled",  # other models were measured on this accelerator near this load
    "extrapolated",  # the accelerator was not measured near this load, or lacks units for the precision
]
BEYOND = {
    "configuration": "throughput and power were not both measured for model, accelerators and precision",
    "batch": "more or fewer requests in flight than measured",
    "answers": "answers longer than measured",
    "prompt": "prompts count, whose length the measurements do not state",
    "server": "wall power of the server, which is modelled",
    "site": "idle servers, cooling and water, which are modelled",
}
LOADS = ["as in production", "as stated"]
MIXED = "mixed"
KEYS = [
    "load",
    "model_class",
    "reference_model",
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
    "co2e_g": "carbon of the electricity, location based, g CO2e",
}

# Which fields of others our values are; p50 stands for the value where they have room for one.
STANDARDS = {
    "SPDX 3.0.1, AI profile": {
        "wh": "ai_inferenceEnergyConsumption: ai_energyQuantity = wh / 1000, ai_energyUnit = kilowattHour"
    },
    "Impact Framework": {
        "wh": "energy = wh / 1000, kWh",
        "co2e_g": "carbon-operational, gCO2eq; carbon-embodied: not counted here",
        "per": "functional-unit",
    },
    "SCI (ISO/IEC 21031) and SCI for AI": {
        "wh": "E = wh / 1000, kWh, of the inference",
        "co2e_g": "E times I, location based; M, embodied: not counted here",
        "per": "R",
    },
    "ITU-T L.1801 (ETSI ES 204 135), from its summary and accounts of it; the text was not read": {
        "wh": "inventory of the use stage (inference): electricity = wh / 1000, kWh; raw materials, "
        "production (training) and end of life: not counted here",
        "co2e_g": "climate change, of the use stage, location based",
        "total_ml": "water, of the use stage",
        "per": "functional unit",
    },
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


def _beyond(values: pd.Series) -> pd.Series:
    return values.dropna().map(lambda text: set(text.split("; ")) <= set(BEYOND))


FACTORS = schema(
    {
        "version": text("version of the project that gives the number"),
        "schema_version": count("of these columns", POSITIVE),
        "load": word("as in production: as services are judged to run; as stated: in the band", LOADS),
        "model_class": text("models of like size; sizes in 10^9 parameters"),
        "reference_model": text("the model that stands for the class, or models that it takes together"),
        "total_params_b": number("its parameters, 10^9; blank for several models", nullable=True),
        "active_params_b": number("its parameters active per token, 10^9; likewise", nullable=True),
        "gpu_generation": word("family of the accelerator", [*GENERATIONS, MIXED]),
        "gpu": text("accelerator; mixed: models run on several"),
        "gpus": number("accelerators of the instance; blank: it differs between models", nullable=True),
        "precision": word("of the weights", ["fp4", "fp8", "bf16", MIXED]),
        "requests_in_flight": text("requests in flight on the instance, in words"),
        "requests_low": number("least of the band; as in production: P5 over what is not known"),
        "requests_high": number("most of the band, cut at what the cache holds; as in production: P95"),
        "workload": word(REGIME_WORDS, [*EVERY_REGIME]),
        "input_tokens": count("mean prompt of a service of median lengths, with what is cached", POSITIVE),
        "output_tokens": count("mean answer of a service of median lengths", POSITIVE),
        "boundary": word("gpu: accelerators; node: serving servers; facility: idle too, cooling", BOUNDARIES),
        "site": text("key of a scenario of sites; it matters at the facility alone"),
        "site_title": text("what the scenario is"),
        "per": word("what the value is for", PERS),
        **_values(),
        "evidence": word("what the value rests on", EVIDENCE),
        "beyond": text(
            f"what of the row lies beyond the measurements, separated by semicolons: {'; '.join(BEYOND)}",
            pa.Check(_beyond, error=f"some of {', '.join(BEYOND)}"),
            nullable=True,
        ),
        "measured_as": text("the models that were measured for a measured configuration", nullable=True),
        "method": text("file beside this one that says how it is computed"),
    },
    "Energy and water per query and per 1,000 tokens, by model, accelerator, load, boundary and site.",
    checks=[
        row_check("p50_wh", "P5 <= P50 <= P95", _ordered),
        row_check("requests_high", "at least requests_low", "requests_low <= requests_high"),
        row_check(
            "evidence",
            "measured exactly where nothing is beyond",
            "(evidence == 'measured') == beyond.isna()",
        ),
        row_check("per", "each factor once", lambda table: ~table.duplicated(KEYS)),
    ],
)

TOKENS = ["1000 input tokens", "1000 cached input tokens", "1000 output tokens"]
BY_CONTEXT = schema(
    {
        "version": text("version of the project that gives the number"),
        "model_class": text("models served alike, of which a service runs one"),
        "models": text("those whose window holds the band"),
        "context": text("tokens of input in words"),
        "context_low": number("from so many tokens of input, what is cached among them"),
        "context_high": number("to so many"),
        "per": word(
            "1,000 tokens: of input that is computed, of input that the cache holds, or of output. Input as "
            " services count it includes what is cached: take the cached tokens from it first",
            TOKENS,
        ),
        "boundary": word("accelerators, serving servers, or all with idle servers and cooling", BOUNDARIES),
        **{f"{name}_wh": number(f"energy, Wh: {words}", NOT_NEGATIVE) for name, words in PERCENTS.items()},
        "mc_error_p50_wh": number("Monte Carlo standard error of p50_wh", NOT_NEGATIVE),
        "note": text("at which lengths, cached share and load"),
    },
    "Energy per 1,000 tokens by how long the context is: input, cached input and output apart.",
)

TABLES = {
    "factors": Table(FACTORS, "factors", "data/results/factors"),
    "by_context": Table(BY_CONTEXT, "factors", "data/results/factors"),
}
