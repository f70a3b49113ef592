"""Draw all figures."""

from pipeline.core.errors import run
from pipeline.present.figures import draw_all


def main() -> None:
    """Draw and save."""
    draw_all()


if __name__ == "__main__":
    run(main)
