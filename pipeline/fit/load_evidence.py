"""What public data say about load: mean demand over the peak that capacity is kept for.

DeepSeek's figures need care. Its 8.6k output tokens/s of a node are the day's output over all nodes in use;
the 14.8k of a decode node is a mean too. Their quotient, 0.58, is the share of nodes that decode, not a load:
decode nodes (output over 14.8k) plus prefill nodes (input over 73.7k) give 226.9, and 226.75 are stated. What
the source says about load is mean over peak nodes, of an operator who takes idle nodes away for other work.
"""

import pandas as pd

SECONDS_PER_DAY = 86400.0
SOURCES = {"azure_llm_2023": "azure_llm_2023", "servegen": "servegen2025"}


def from_rates(rates: pd.DataFrame) -> pd.DataFrame:
    """Mean over peak of requests and tokens per service; rates: REQUEST_RATES."""
    rows = []
    for service, group in rates.groupby("service"):
        for quantity in ("requests", "input_tokens", "output_tokens"):
            values = group[quantity]
            if values.isna().any():
                continue
            rows.append(
                {
                    "service": service,
                    "quantity": quantity,
                    "window_s": float(group["window_s"].iloc[0]),
                    "windows": float(len(values)),
                    "mean_over_peak": values.mean() / values.max(),
                    "mean_over_p95": values.mean() / values.quantile(0.95),
                    "source": SOURCES[str(service).split("/")[0]],
                    "note": "demand; capacity for the peak window would run at this utilisation",
                }
            )
    return pd.DataFrame(rows)


def deepseek_nodes(facts: pd.DataFrame) -> pd.DataFrame:
    """DeepSeek's mean over peak nodes, and its share of decode nodes; facts: published token_lengths."""
    values = facts.set_index("key")["value"]
    decode = values["dsv3_out"] / SECONDS_PER_DAY / values["dsv3_dec"]
    prefill = values["dsv3_in"] / SECONDS_PER_DAY / values["dsv3_pre"]
    peak = float(facts.set_index("key")["note"]["dsv3_nodes"].split()[0])
    common = {
        "service": "DeepSeek V3/R1",
        "window_s": SECONDS_PER_DAY,
        "windows": 1.0,
        "mean_over_p95": float("nan"),
        "source": "deepseek_inference2025",
    }
    load = {
        "quantity": "nodes in use",
        "mean_over_peak": values["dsv3_nodes"] / peak,
        "note": "nodes are added and taken away with demand, so those in use are fuller than this",
    }
    share = {
        "quantity": "decode nodes over all nodes",
        "mean_over_peak": decode / (decode + prefill),
        "note": (
            f"no load: output and input over the mean rates of their nodes need {decode:.1f} decode and "
            f"{prefill:.1f} prefill nodes, {decode + prefill:.1f} in all; {values['dsv3_nodes']:g} are stated"
        ),
    }
    return pd.DataFrame([common | load, common | share])
