"""Draw all figures.

Inputs: the tables that figures are drawn from (pipeline/<topic>/figures).
Outputs: figures/NAME.{pdf,svg,png,json}. Settings: figures, and what a figure names of the analysis.
"""

from pipeline.core.errors import run
from pipeline.present.figures import draw_all


def main() -> None:
    """Draw and save."""
    draw_all()


if __name__ == "__main__":
    run(main)
