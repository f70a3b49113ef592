"""Requests of load generators, which tell of runs: vLLM and SGLang, guidellm, genai-perf, MLPerf."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.cells import ISO, read_times, style_of
from pipeline.logs.deployment import Deployment
from pipeline.logs.formats.declare import Format, Head, Raw, at
from pipeline.logs.formats.rows import objects


def _bench(
    head: Head, run: dict[str, Any], given: Deployment, row: int
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Requests of a load generator's run: lengths, and times from its clock or, without one, its whole
    length."""
    lengths, answers = run.get("input_lens"), run.get("output_lens")
    if not isinstance(lengths, list) or not isinstance(answers, list) or len(lengths) != len(answers):
        raise InputError(
            f"{head.path}, row {row}: no list of lengths, expected a run saved in detail (--save-detailed)"
        )
    duration = float(run.get("duration") or 0)
    end_s, says, zoned = _end_of_run(head, run, given, duration)
    starts = run.get("start_times")
    notes: tuple[str, ...] = (says,)
    errors = run.get("errors") or [""] * len(lengths)
    rows = []
    for k, (taken, made) in enumerate(zip(lengths, answers, strict=True)):
        if isinstance(starts, list) and len(starts) == len(lengths):
            begin = end_s - duration + float(starts[k]) - float(min(starts))
            end = begin + float((run.get("ttfts") or [0] * len(lengths))[k]) + _decoding(run, k)
        else:
            begin, end = end_s - duration, end_s
        rows.append(
            {"time_us": round(begin * 1e6), "end_us": round(end * 1e6),
            "model": run.get("model_id") or run.get("model"), "input_tokens": taken,
            "output_tokens": made, "status": "failed" if errors[k] else "ok", "zoned": zoned},
        )  # fmt: skip
    if not isinstance(starts, list):
        notes += ("no times of single requests: each is spread over the whole run, which keeps the mean",)
    return rows, notes


def _decoding(run: dict[str, Any], k: int) -> float:
    itls = run.get("itls")
    return float(sum(itls[k])) if isinstance(itls, list) and isinstance(itls[k], list) else 0.0


def _end_of_run(
    head: Head, run: dict[str, Any], given: Deployment, duration: float
) -> tuple[float, str, bool]:
    """Seconds since 1970 of the end of a run, what that rests on, and whether its zone is known."""
    if start := given.starts.get(head.path.name):
        begin_s, zoned = _moment(head, start, given)
        return begin_s + duration, "the start of the run is that of `starts`", zoned
    date = run.get("date")
    if not isinstance(date, str):
        raise InputError(
            f"{head.path}: says how long it ran, not when, expected `starts: {{{head.path.name}: TIME}}` in "
            f"deployment.yaml"
        )
    try:
        written = datetime.strptime(date, "%Y%m%d-%H%M%S")
    except ValueError:
        raise InputError.at(
            head.path, row=None, column="date", value=date, expected="YYYYMMDD-HHMMSS"
        ) from None
    note = "`date` is when the run ended, in local time and whole seconds; starts are counted back from it"
    end_s, zoned = _moment(head, written.isoformat(), given)
    if not zoned:
        note += "; its zone is not known: give `time_zone`"
    return end_s, note, zoned


def _moment(head: Head, start: str, given: Deployment) -> tuple[float, bool]:
    values = pd.Series([start])
    found = read_times(values, style_of(values), given.time_zone)
    if found.bad.any() or not (ISO.fullmatch(start) or start.isdigit()):
        raise InputError(f"deployment.yaml, key 'starts.{head.path.name}': {start!r}, expected a time")
    return float(found.us[0]) / 1e6, bool(found.zoned[0])


def bench_rows(head: Head, _: Any, given: Deployment) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Requests of runs of vLLM or SGLang."""
    rows: list[dict[str, Any]] = []
    notes: tuple[str, ...] = ()
    for row, run in objects(head) if not head.whole else [(1, head.json)]:
        found, notes = _bench(head, run, given, row)
        rows += [entry | {"row": row} for entry in found]
    return rows, notes


def guidellm_rows(head: Head, found: Any, _: Deployment) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Requests of guidellm, whole, cut off and failed."""
    rows = []
    for benchmark in found["benchmarks"]:
        model = next(
            (at(benchmark, path) for path in ("worker.backend_model", "benchmarker.backend.model",
            "args.backend.model", "config.backend.model") if at(benchmark, path)), None,
        )  # fmt: skip
        for group, status in (("successful", "ok"), ("incomplete", "failed"), ("errored", "failed")):
            for request in (benchmark.get("requests") or {}).get(group) or []:
                rows.append(
                    {"time": request.get("request_start_time", request.get("start_time")),
                    "end": request.get("request_end_time", request.get("end_time")),
                    "input_tokens": request.get("prompt_tokens"),
                    "output_tokens": request.get("output_tokens", None if status == "ok" else 0),
                    "request": request.get("request_id"), "model": request.get("model") or model,
                    "status": status},
                )  # fmt: skip
    return rows, ("requests cut off at the end of a benchmark are no queries; their energy is kept apart",)


def genai_perf_rows(head: Head, _: Any, __: Deployment) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Refused: no tokens are counted."""
    raise InputError(
        f"{head.path}: genai-perf's export has times and texts but no counts of tokens, and texts are not "
        f"read; "
        "expected the export of aiperf (profile_export.jsonl), which counts them"
    )


def mlperf_rows(head: Head, _: Format, given: Deployment) -> Iterator[Raw]:
    """A run of MLPerf as its queries of mean length over its timed window."""
    from pipeline.ingest.mlperf import read_run

    run = read_run(head.path)
    begin, end = (round(pd.Timestamp(time).timestamp() * 1e6) for time in (run.begin, run.end))
    whole, rest = divmod(run.output_tokens, run.requests)
    table = pd.DataFrame(
        {"time_us": begin, "end_us": end, "input_tokens": 0, "zoned": False,
        "row": range(1, run.requests + 1),
        "output_tokens": [whole + (k < rest) for k in range(run.requests)]},
    )  # fmt: skip
    yield Raw(
        table, notes=("the log has totals: each query gets the mean length and the whole run",
        "prompts are not counted"),
    )  # fmt: skip
