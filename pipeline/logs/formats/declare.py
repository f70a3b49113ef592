"""What a format is: how a file of it is known, and which of its fields are which of ours.

A format is a declaration. Tables and JSON lines only map names (as tools write them: small letters,
underscores, no unit); documents and reports have a function that gives rows. All of them give raw rows
(text or numbers as they stand), which `tidy` turns into the columns of the logs.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipeline.logs.deployment import Deployment

Log = Literal["power", "requests"]


@dataclass(frozen=True)
class Head:
    """The start of a file, taken apart as far as it goes.

    separator, header: of a table, else blank; names: the header without units; json: the first object of
    JSON lines, or the whole document; whole: whether the file is one JSON document; skip: lines before a
    header.
    """

    path: Path
    lines: tuple[str, ...]
    separator: str = ""
    header: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    json: Any = None
    whole: bool = False
    skip: int = 0


@dataclass(frozen=True)
class Raw:
    """Rows as they stand, under our names; `row` is the line of the file or the place in the document."""

    table: pd.DataFrame
    units: dict[str, str] = field(default_factory=dict)  # of watts and energy, from the header
    comma: bool = False  # numbers have decimal commas
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One format: `known` says whether a file is of it, `rows` gives its raw rows."""

    name: str
    log: Log
    source: str  # the documentation or code that the declaration follows, with its version
    example: str
    known: Callable[[Head], bool]
    rows: Callable[[Head, "Format", Deployment], Iterator[Raw]]
    fields: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # ours -> theirs, the first that is there
    scope: str = ""
    relative: float = 0.0  # microseconds of a unit of times that count from the start of the trace
    ends_at: bool = False  # `time` is when requests ended
    of_runs: bool = False  # gives the times of whole runs, not of single requests
    notes: tuple[str, ...] = ()


def at(value: Any, path: str) -> Any:
    """The value at a dotted path of nested objects; none where it is not there."""
    for key in path.split("."):
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TIME = _words(
    """
    time timestamp time_stamp date_time datetime date ts timestamp_utc time_utc unix_time unix_timestamp
    epoch zeit zeitstempel
    """
)
DEVICE = _words(
    """
    device index gpu gpu_index gpu_id gpu_idx device_id device_index gpu_device uuid gpu_uuid gpu_serial
    serial pci_bus_id gpu_bus_id card outlet outlet_name psu channel inlet meter phase
    """
)
NODE = _words("node node_name host hostname host_name server machine instance")
WATT_NAMES = _words(
    """
    power_draw power_draw_average power_draw_instant power_w power_watts watts power socket_power
    average_socket_power current_socket_power power_usage gpu_power gpu_power_w board_power board_power_draw
    active_power active_power_w average_graphics_package_power current_socket_graphics_package_power
    power_mw power_kw power_draw_w power_draw_watts power_usage_w gpu_power_draw gpu_power_watts pwr watt
    milliwatts kilowatts kw mw total_power node_power wall_power power_consumption power_consumption_w
    wirkleistung leistung
    """
)
ENERGY_NAMES = _words(
    """
    energy_j energy_mj energy_wh energy_kwh energy_uj energy total_energy total_energy_consumption
    active_energy energy_consumption energy_joules joules energy_accumulator energy_counter kwh wh
    """
)
CARD = _words("name gpu_name modelname model_name gpu_model card_series market_name")
INPUT = _words(
    """
    input_tokens prompt_tokens num_prompt_tokens request_tokens context_tokens input_length
    n_input_tokens num_input_tokens prompt_token_count input_token_count tokens_in tokens_prompt
    prompt_eval_count
    """
)
OUTPUT = _words(
    """
    output_tokens completion_tokens num_generation_tokens response_tokens generated_tokens
    output_length n_output_tokens num_output_tokens candidates_token_count output_token_count tokens_out
    tokens_completion eval_count
    """
)
START = _words(
    """
    time start start_time started started_at start_ts timestamp timestamp_start request_start
    request_start_time request_time created created_at arrival arrival_time arrived_at received_at
    """
)
END = _words(
    """
    end end_time ended ended_at end_ts timestamp_end finish finish_time finished_at request_end
    request_end_time completed_at stop_time
    """
)
LASTED = _words(
    """
    duration duration_s duration_ms latency latency_s latency_ms e2e_latency e2e_latency_s e2e_latency_ms
    request_duration elapsed elapsed_s elapsed_ms total_time total_time_s total_time_ms response_time_ms
    generation_time_ms
    """
)
POWER_FIELDS = {
    "time": TIME, "device": DEVICE, "node": NODE, "watts": WATT_NAMES, "energy": ENERGY_NAMES,
    "gpu": CARD, "scope": ("scope",),
}  # fmt: skip
REQUEST_FIELDS = {
    "time": START,
    "end": END,
    "lasted": LASTED,
    # `instance` of a request is the instance of a model, not a host
    "node": (*(name for name in NODE if name != "instance"), "api_base"),
    "model": ("model", "model_id", "model_name", "served_model_name"),
    "input_tokens": INPUT,
    "output_tokens": OUTPUT,
    "request": ("request", "request_id", "requestid", "req_id", "id", "x_request_id", "call_id", "trace_id"),
    "status": (
        "status",
        "status_code",
        "http_status",
        "http_status_code",
        "response_code",
        "outcome",
        "success",
    ),
    "failed": ("error", "error_code", "exception"),
    "cached_input_tokens": _words(
        """
        cached_input_tokens cached_tokens num_cached_tokens cached_prompt_tokens prompt_tokens_cached
        input_cached_tokens cache_read_tokens cache_hit_tokens prompt_cache_hit_tokens cache_read_input_tokens
        cached_content_token_count
        """
    ),
    "cache_creation": ("cache_creation_input_tokens", "cache_creation_tokens"),
    "cache_hit": ("cache_hit",),
    "reasoning_tokens": _words(
        """
        reasoning_tokens reasoning_token_count thinking_tokens thoughts_token_count num_reasoning_tokens
        completion_reasoning_tokens output_reasoning_tokens
        """
    ),
    "device": ("device", "devices", "gpu_ids"),
    "gpus": ("gpus", "num_gpus"),
    "instance": ("instance", "replica"),
}


def has(*needed: tuple[str, ...]) -> Callable[[Head], bool]:
    """A table whose header has one of each of these names."""
    return lambda head: bool(head.separator) and all(set(names) & set(head.names) for names in needed)


def keys(*paths: str) -> Callable[[Head], bool]:
    """A JSON file whose first object has all of these paths."""
    return lambda head: all(at(first_object(head), path) is not None for path in paths)


def lines_like(pattern: re.Pattern[str]) -> Callable[[Head], bool]:
    """A text one of whose first lines is of this pattern."""
    return lambda head: any(pattern.fullmatch(line.strip()) for line in head.lines[:5])


def first_object(head: Head) -> Any:
    """The first object of a JSON file."""
    return head.json[0] if isinstance(head.json, list) and head.json else head.json
