"""AI Energy Score, December 2025 round: energy of one query at a time, answers of ten tokens, on H100.

Nobody serves at batch 1 with ten tokens, and the prompt weighs heavily: an upper bound on energy per
output token. How many GPUs a class C model took is not stated; neither is power nor time. The mean of
ten passes over 1,000 queries.
"""

from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.ingest.serving import finish
from pipeline.ingest.upstream import load_json, require
from pipeline.units import JOULES_PER_WH

UNIT = "Wh per 1,000 queries"
OUTPUT_TOKENS = 10.0
ONE_GPU_CLASSES = ["A", "B"]


def read_measurements(folder: Path, models: pd.DataFrame) -> pd.DataFrame:
    """One row a model, in the contract SERVING_MEASUREMENTS."""
    path = folder / "leadgreen_mcp" / "data" / "per-query.json"
    data = load_json(path)
    if data.get("unit") != UNIT:
        raise InputError.at(path, row=None, column="unit", value=data.get("unit"), expected=repr(UNIT))
    rows = pd.DataFrame(data["rows"])
    require(path, rows, ["model", "class", "wh_per_1000_queries"])
    wh = rows["wh_per_1000_queries"] / 1000
    table = pd.DataFrame(
        {
            "key": "ai_energy_score/" + rows["model"],
            "source": "ai_energy_score",
            "upstream_model": rows["model"],
            "gpu": "H100",
            "gpus": rows["class"].isin(ONE_GPU_CLASSES).map({True: 1.0, False: float("nan")}),
            "max_concurrency": 1.0,
            "average_batch": 1.0,
            "output_tokens": OUTPUT_TOKENS,
            "gpu_j_per_output_token": wh * JOULES_PER_WH / OUTPUT_TOKENS,
            "wh_per_request": wh,
            "boundary": "gpu",
            "steady_state": "no",
            "derived": "gpu_j_per_output_token",
            "flags": None,
            "setup": "one query at a time, ten output tokens, class " + rows["class"],
        }
    )
    return finish(table, models, str(path))
