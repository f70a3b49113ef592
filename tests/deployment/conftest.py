"""The fitted model, read once."""

import pytest

from pipeline.deployment.model.predict import Predictor
from pipeline.predict import predictor


@pytest.fixture(scope="package")
def tool() -> Predictor:
    return predictor()
