import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.corrections import corrected, without

TABLE = pd.DataFrame({"watts": [1.0, 0.0, 3.0, 0.0]})


def test_a_correction_that_touches_the_expected_rows_passes() -> None:
    assert corrected(TABLE, TABLE["watts"] == 0, 2, "zero").equals(TABLE)
    assert without(TABLE, TABLE["watts"] == 0, 2, "zero")["watts"].tolist() == [1.0, 3.0]


@pytest.mark.parametrize("expected", [1, 3])
def test_a_correction_stops_when_its_count_changes(expected: int) -> None:
    with pytest.raises(InputError, match=rf"'zero' touches 2 rows, expected {expected}"):
        without(TABLE, TABLE["watts"] == 0, expected, "zero")
