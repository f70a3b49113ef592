"""What the executed notebooks show: values of the parameters that their first cells have."""

from typing import Literal

from pipeline.core.assumption import Section
from pipeline.core.columns import Regime


class Notebooks(Section):
    """Parameters by name; a notebook takes those that it has."""

    boundary: Literal["gpu", "node", "facility"]
    regime: Regime


SETTINGS = Notebooks
