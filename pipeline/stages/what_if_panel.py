"""What the what-if page computes with: predictions of every model on some chips, sites, and measures."""

import json
from pathlib import Path

from pipeline.core.catalogue import read
from pipeline.core.errors import run
from pipeline.core.files import write_text
from pipeline.deployment.model.page import page
from pipeline.predict import predictor

OUTPUT = Path("build/whatif/whatif.json")


def main() -> None:
    """Predict, compress, save."""
    found = page(predictor(), read("re_estimated"), read("lever_systems"), read("lever_combinations"))

    # Without spaces: a page carries it whole.
    write_text(json.dumps(found, separators=(",", ":"), allow_nan=False), OUTPUT)


if __name__ == "__main__":
    run(main)
