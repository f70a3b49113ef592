"""Which row of the model table a name means, however it is written.

Publisher, tuning and precision do not change the shape of a model and are left out:
"meta-llama/Llama-3.1-405B-Instruct-FP8", "Llama 3.1 405B" and "llama_3.1_405b" are one shape.
"""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.facts import spellings

ENDINGS = re.compile(
    r"[-_]((?:nv)?fp4-v\d|instruct|thinking|chat|it|hf|base|original|fp8|fp4|nvfp4|mxfp4|int4|bf16|bf|awq|gptq|w8a8|dynamic|"
    r"preview|terminus|speciale|turbo|\d{4}|v0\.\d)(?=[-_]|$)"
)

VERSION = re.compile(r"(\d)_(\d)(?=[-_\s]|$)")  # "llama-3_3-70b": some file names cannot have dots


def short_name(name: object) -> str:
    """The name without publisher, tuning and precision, in small letters; "" where there is no name."""
    if not isinstance(name, str):
        return ""
    short = VERSION.sub(r"\1.\2", name.split("/")[-1].strip().lower())
    short = re.sub(r"[\s_]+", "-", short)
    short = short.removeprefix("meta-").removeprefix("nvidia-")
    while (shorter := ENDINGS.sub("", short)) != short:
        short = shorter
    return short


def joined(*parts: pd.Series) -> NDArray[np.object_]:
    """One text a row from several columns, (n,)."""
    texts = zip(*(part.astype(object).tolist() for part in parts), strict=True)
    return np.array(["|".join(map(str, row)) for row in texts], dtype=object)


def shape_key(name: object) -> str:
    """The short name without hyphens: people write "Llama3.1-8B" and "gptoss-120b" too."""
    return short_name(name).replace("-", "")


class Names:
    """Short names and aliases of a table, to the name in its first column."""

    def __init__(self, models: pd.DataFrame) -> None:
        self._known = {
            shape_key(spelling): model
            for model, all_spellings in spellings(models, ["model", "upstream", "aliases"]).items()
            for spelling in all_spellings
        }

    def resolve(self, name: object) -> str:
        """The model of that shape; "" where the table has none."""
        return self._known.get(shape_key(name), "")


def gpu_key(name: str) -> str:
    """The name in small letters and digits, without its vendor: "NVIDIA H100-SXM" is "h100sxm"."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"^(nvidia|amd|google|microsoft)?(instinct)?", "", plain)


def gpu_names(hardware: pd.DataFrame) -> dict[str, str]:
    """The key (gpu_key) of every spelling of an accelerator, to its name."""
    return {
        gpu_key(spelling): gpu
        for gpu, all_spellings in spellings(hardware, ["gpu", "aliases"]).items()
        for spelling in all_spellings
    }
