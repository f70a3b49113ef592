"""Length fits of every kind of traffic, from the telemetry tables to the result tables."""

import pandas as pd

from pipeline.contracts.traffic import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC
from pipeline.fit.length_families import FAMILIES
from pipeline.fit.lengths import Fit, Histogram, compare, pooled

BENCHMARK = "chat_benchmark"
BENCHMARK_SOURCE = "mlenergy_v3"
# Kind of traffic -> key in token_lengths.csv that has its rank correlation.
TRACES = {
    "conversation": "azure_llm_2023/conv",
    "code": "azure_llm_2023/code",
    "reasoning": "servegen/deepseek-r1",
}
Parts = dict[tuple[str, str], list[Histogram]]


def to_histogram(table: pd.DataFrame) -> Histogram:
    """The bins of one part, in order."""
    table = table.sort_values("from_tokens")
    return Histogram(*(table[name].to_numpy(float) for name in ("from_tokens", "to_tokens", "requests")))


def collect(parts: pd.DataFrame, histograms: pd.DataFrame, lengths: pd.DataFrame) -> Parts:
    """Parts by traffic and quantity: the split traces, and one part a model of the chat benchmark.

    parts: TOKEN_LENGTH_PARTS; histograms: TOKEN_LENGTH_HISTOGRAMS; lengths: TOKEN_LENGTHS.
    """
    found: Parts = {}
    for (traffic, quantity, _), group in parts.groupby(["traffic", "quantity", "part"]):
        found.setdefault((str(traffic), str(quantity)), []).append(to_histogram(group))
    benchmark = lengths[lengths["source"] == BENCHMARK_SOURCE]
    models = histograms.merge(benchmark[["key", "quantity", "requests"]], on=["key", "quantity"])
    models["requests"] *= models["share"]
    for (quantity, _), group in models.groupby(["quantity", "key"]):
        found.setdefault((BENCHMARK, str(quantity)), []).append(to_histogram(group))
    return found


def fit_all(parts: Parts, lengths: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """LENGTH_FITS, LENGTH_PARAMETERS and LENGTH_TRAFFIC."""
    scores, parameters, upper = [], [], {}
    for (traffic, quantity), histograms in sorted(parts.items()):
        table, fits = compare(histograms)
        scores.append(table.assign(traffic=traffic, quantity=quantity))
        parameters.append(_parameters(fits).assign(traffic=traffic, quantity=quantity))
        upper[traffic, quantity] = float(pooled(histograms).high[-1])
    return (
        pd.concat(scores, ignore_index=True)[list(LENGTH_FITS.columns)],
        pd.concat(parameters, ignore_index=True)[list(LENGTH_PARAMETERS.columns)],
        _traffic(upper, lengths)[list(LENGTH_TRAFFIC.columns)],
    )


def _parameters(fits: dict[str, Fit]) -> pd.DataFrame:
    rows = [
        {"family": family, "parameter": name, "value": value, "standard_error": error}
        for family, one in fits.items()
        for name, value, error in zip(
            FAMILIES[family].parameters, one.theta, one.standard_errors, strict=True
        )
    ]
    return pd.DataFrame(rows)


def _traffic(upper: dict[tuple[str, str], float], lengths: pd.DataFrame) -> pd.DataFrame:
    correlation = lengths.drop_duplicates("key").set_index("key")["spearman_input_output"]
    rows = [
        {
            "traffic": traffic,
            "upper_input_tokens": upper.get((traffic, "input_tokens"), float("nan")),
            "upper_output_tokens": upper[traffic, "output_tokens"],
            "spearman_input_output": correlation.get(TRACES.get(traffic, ""), float("nan")),
        }
        for traffic in sorted({traffic for traffic, _ in upper})
    ]
    return pd.DataFrame(rows)
