"""Tables of deployments as a user writes them."""

import pandas as pd

HEADER = "model,total_params_b,active_params_b,gpu,gpus,precision,concurrency,input_tokens,output_tokens"
GOOD = "Llama 3.1 70B,70.6,70.6,H100,4,bf16,32,511,303"


def table(*lines: str, header: str = HEADER) -> pd.DataFrame:
    """Cells as text, blanks missing, rows counted as in a CSV."""
    rows = [line.split(",") for line in lines]
    found = pd.DataFrame(rows, columns=pd.Index(header.split(",")), dtype="str").replace("", pd.NA)
    found.index = pd.RangeIndex(2, len(found) + 2)
    return found


def one(**cells: object) -> pd.DataFrame:
    """One row: GOOD with some cells changed, or others added."""
    good = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    return pd.DataFrame([{**good, **cells}], dtype=object)
