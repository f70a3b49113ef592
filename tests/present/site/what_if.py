"""What the what-if page carries, of a few models and chips."""

from functools import cache
from typing import Any

from pipeline.core.catalogue import read
from pipeline.deployment.model.page import content
from pipeline.deployment.model.surface import surface
from pipeline.predict import predictor

MODELS = (
    "Llama 3.1 70B",
    "DeepSeek-V3",
    "Qwen3 32B",
    "Qwen3 Coder 480B-A35B",
)  # of the uses, and their chips
CHIPS = ("H100", "H200", "B200")


@cache
def made() -> dict[str, Any]:
    """As the stage what_if_panel makes it."""
    tool = predictor()
    found = surface(tool, MODELS, CHIPS)
    return content(tool, found, read("re_estimated"), read("lever_systems"), read("lever_combinations"))
