"""Azure LLM inference traces 2023: every request of one hour of two production services."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts import validate
from pipeline.contracts.telemetry import QUANTITIES, REQUESTS
from pipeline.errors import InputError
from pipeline.ingest.lengths import from_counts
from pipeline.ingest.upstream import load_csv

WORKLOADS = {"conv": "conversation", "code": "code completion"}
COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]


def read_requests(folder: Path, service: str) -> pd.DataFrame:
    """Requests of one service ("conv" or "code"), in the contract REQUESTS; the model is not named."""
    path = folder / "data" / f"AzureLLMInferenceTrace_{service}.csv"
    upstream = load_csv(path, COLUMNS)
    time = pd.to_datetime(upstream["TIMESTAMP"], format="ISO8601", errors="coerce")
    for column, values in {"TIMESTAMP": time, **upstream[COLUMNS[1:]]}.items():
        wrong = values.isna() | (values < 1 if column != "TIMESTAMP" else False)
        if wrong.any():
            at = int(wrong.to_numpy().argmax())
            expected = "a time" if column == "TIMESTAMP" else "at least one token"
            value = upstream[column].tolist()[at]
            raise InputError.at(path, row=at + 2, column=column, value=value, expected=expected)
    requests = pd.DataFrame(
        {
            "time": time.astype("datetime64[us]"),
            "node": f"azure_{service}",
            "model": pd.Series(np.nan, index=upstream.index).astype("str"),
            "input_tokens": upstream["ContextTokens"].astype("int64"),
            "output_tokens": upstream["GeneratedTokens"].astype("int64"),
        }
    )
    return validate(requests, REQUESTS, path)


def lengths(folder: Path) -> list[dict[str, Any]]:
    """Input and output lengths of both services, with their rank correlation."""
    entries = []
    for service, workload in WORKLOADS.items():
        requests = read_requests(folder, service)
        correlation = requests["input_tokens"].corr(requests["output_tokens"], method="spearman")
        for quantity in QUANTITIES:
            summary, histogram = from_counts(requests[quantity].to_numpy(), np.ones(len(requests)))
            entries.append(
                {
                    "key": f"azure_llm_2023/{service}",
                    "source": "azure_llm_2023",
                    "workload": f"Azure production, {workload}",
                    "quantity": quantity,
                    "summary": summary | {"spearman_input_output": correlation},
                    "histogram": histogram,
                    "note": "one hour, model not named",
                }
            )
    return entries
