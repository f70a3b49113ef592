from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.ingest.servegen import lengths

FOLDER = "data/reason/deepseek-r1"
Write = Callable[[str, Any], Path]


def client(write: Write, number: int, rates: dict[int, float], windows: dict[str, Any]) -> None:
    steps = "\n".join(f"{start},{rate},0,,0,0" for start, rate in rates.items())
    write(f"{FOLDER}/chunk-{number}-trace.csv", steps)
    write(f"{FOLDER}/chunk-{number}-dataset.json", windows)


def test_clients_and_windows_weigh_by_their_requests(write: Write, tmp_path: Path) -> None:
    first = {"input_tokens": "{10: 1.0}", "output_tokens": "{100: 0.5, 200: 0.5}"}
    second = {"input_tokens": "{20: 1.0}", "output_tokens": "{100: 1.0}"}
    # 600 requests in the first window, 1,200 in the second; the other client 600 in the first.
    client(write, 0, {0: 0.5, 600: 0.5, 21600: 2.0}, {"0": first, "21600": second})
    client(write, 1, {0: 1.0, 21600: 0.0}, {"0": second, "21600": {}})
    entries = {entry["quantity"]: entry["summary"] for entry in lengths(tmp_path)}
    assert entries["input_tokens"]["requests"] == 2400
    assert entries["input_tokens"]["mean"] == pytest.approx((600 * 10 + 1800 * 20) / 2400)
    assert entries["output_tokens"]["mean"] == pytest.approx((300 * 200 + 2100 * 100) / 2400)
    assert entries["output_tokens"]["p90"] == 200


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"input_tokens": "{10: 0.9}", "output_tokens": "{100: 1.0}"},
        {"input_tokens": "{0: 1.0}", "output_tokens": "{100: 1.0}"},
        {"input_tokens": "{10.5: 1.0}", "output_tokens": "{100: 1.0}"},
        {"input_tokens": "{10: 1.0", "output_tokens": "{100: 1.0}"},
    ],
)
def test_requests_without_a_whole_distribution_are_refused(
    write: Write, tmp_path: Path, window: dict[str, str]
) -> None:
    client(write, 0, {0: 0.5}, {"0": window})
    with pytest.raises(InputError, match=r"chunk-0-dataset.json.*0\.input_tokens"):
        lengths(tmp_path)


def test_no_client_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make telemetry"):
        lengths(tmp_path)
