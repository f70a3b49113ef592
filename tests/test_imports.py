"""What every stage imports stays lean: half a second of imports is half a minute of the pipeline."""

import subprocess
import sys

import pytest

SLOW = ("scipy.stats", "statsmodels.api", "matplotlib", "seaborn", "SALib")


@pytest.mark.parametrize(
    "name", ["core.catalogue", "core.assumption", "core.files", "core.settings", "predict", "logs"]
)
def test_what_all_stages_share_imports_nothing_slow(name: str) -> None:
    code = f"import sys, pipeline.{name}; print([slow for slow in {SLOW} if slow in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
