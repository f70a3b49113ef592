"""Ten thousand damaged inputs over all readers, and damaged logs of all formats: each is read, or refused in
one short line an error."""

import argparse
import io
import random
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest

from pipeline.core.catalogue import find, origin_of
from pipeline.core.errors import InputError
from pipeline.core.parse import reference_keys
from pipeline.core.processes import temporary_folder
from pipeline.core.read import read_checked, read_table
from pipeline.core.settings import read_yaml, section
from pipeline.core.user_table import read_user_table
from pipeline.deployment.model.measured import calibrated
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import check_columns, check_rows
from pipeline.factors.perquery import __main__ as terminal
from pipeline.factors.perquery.usage import tokens_of
from pipeline.ingest.upstream import load_csv, load_json, read_registry
from pipeline.logs.contract import POWER_SERIES, REQUESTS
from pipeline.logs.deployment import Deployment, read_deployment
from pipeline.logs.gather import gather
from pipeline.logs.sources import open_source
from pipeline.predict import predictor

pytestmark = pytest.mark.slow
EACH, EACH_LOG = 360, 130
SLOWER = 5  # a process for each
LONGEST = 500  # characters of a line
MOST_FAULTS = 12  # of one row, which its message joins
NASTY = [
    b"\0", b"\x07", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"\r", b"\t", b",", b";", b'"', b"'",
    b"[" * 3000, b"{", b"}", b": ", b"- ", b"&a ", b"*a", b"!!binary aGVsbG8=", b"!!float x", b"2026-13-45",
    b"1e308", b"-1e309", b"nan", b"inf", b"9" * 5000, b"1.000,5", b"=cmd|'/C calc'!A0", b"<img onerror=x>",
    b"\\ud800", b"../../x", b"x" * 9000, "\u202e漢".encode(), b"PK\x03\x04", b"PAR1", b"null", b"true",
    b"0x1F", b"%", b"#",
]  # fmt: skip
YAML = b"""simulation:
  seed: 1
  replicates: 16
  draws_per_replicate: 64
figures:
  column_widths_mm: {single: 85, middle: 114, double: 174}
  max_height_mm: 225
  min_font_pt: 6
  max_font_pt: 8
  png_dpi: 600
  tiff_dpi: 1000
  colours:
    meaning: {as_published: '#66707F', re_estimated: '#1D5BD6', measured: '#B84700', modelled: '#5C1A33'}
    models: {DeepSeek-R1: '#7A1F5C'}
    named_models: {Qwen3 32B: '#A65E2E'}
"""
DATA_SET = b"""one:
  title: One
  address: https://example.org/0123456789012345678901234567890123456789/
  commit: '0123456789012345678901234567890123456789'
  holds: Rows
  defects: [none]
  files:
    a.csv: {sha256: '0123456789012345678901234567890123456789012345678901234567890123', bytes: 3}
"""
DEPLOYMENT = b"model: Llama 3.1 70B\ngpu: H100\ngpus: 8\npue: 1.2\nnodes: {a: b}\n"
LOG = b"""time,end,node,model,input_tokens,output_tokens
2026-01-05T00:00:06.42Z,2026-01-05T00:00:34.41Z,n0,small,1818,272
2026-01-05T00:00:11.25Z,2026-01-05T00:00:29.29Z,n1,large,165,256
"""
POWER = b"""time,node,scope,watts
2026-01-05T00:00:00Z,n0,node_wall,5000
2026-01-05T00:00:10Z,n0,node_wall,5100
"""
JSON = b'{"rows": [{"model": "a", "tokens": 12, "note": "x"}, {"model": "b", "tokens": 1.5, "note": null}]}\n'
MEASURED = b"""model,gpu,gpus,precision,concurrency,output_tokens,output_tokens_per_s,node_wh_per_query
Llama 3.1 70B,H100,8,fp8,64,300,2100,
Qwen3 32B,L40S,4,bf16,8,200,,0.4
"""
OWN_CHIP = b"""model,gpu,gpus,concurrency,memory_gib,bandwidth_tb_s,peak_bf16_tflops,link_gb_s,rated_w
Llama 3.1 70B,Ours 1,8,64,96,3.2,800,400,650
Qwen3 32B,H100,1,8,120,,,,
"""
USAGE = b"""{"model": "a", "usage": {"prompt_tokens": 6, "prompt_tokens_details": {"cached_tokens": 8}}}
{"model": "b", "usage": {"input_tokens": 6, "cache_read_input_tokens": 5, "output_tokens": 250}}
"""
LINES = b'{"model": "Llama 3.1 70B", "gpu": "H100", "concurrency": 8}\n{"model": "Qwen3 32B", "gpu": "L4"}\n'
BIB = b"@misc{one2026,\n  author = {{One}},\n  title = {Of {B}races},\n  year = {2026}\n}\n"


def params(path: Path) -> Any:
    data = read_yaml(path)
    return [section(name, data, path) for name in ("simulation", "figures")]


def contract_of(name: str) -> Callable[[Path], Any]:
    return lambda path: read_table(path, find(name).contract)


def head(name: str) -> bytes:
    return b"".join(origin_of(name).read_bytes().splitlines(keepends=True)[:6])


def parquet(text: bytes) -> bytes:
    return pd.read_csv(io.BytesIO(text)).to_parquet(index=False)


def spreadsheet(text: bytes) -> bytes:
    with temporary_folder() as folder:
        pd.read_csv(io.BytesIO(text)).to_excel(folder / "x.xlsx", index=False, engine="xlsxwriter")
        return (folder / "x.xlsx").read_bytes()


@cache
def tool() -> Predictor:
    return predictor()


def deployments(path: Path) -> None:
    """As `predict` reads them, up to the numbers."""
    table = read_user_table(path)
    check_columns(table, path)
    checked = check_rows(table, tool().known)
    _, messages = tool().judged(checked)
    for message in messages:
        assert len(message) < LONGEST * MOST_FAULTS, message


def measured(path: Path) -> None:
    """As `predict --measured` reads them, up to the fit."""
    with mock.patch("pipeline.serving.model.calibration.updated", lambda model, *_: model):
        calibrated(tool(), read_user_table(path), path)


def usage(path: Path) -> None:
    """As `perquery usage` reads it, up to the estimate, whose tables the package has."""
    given = argparse.Namespace(file=str(path), model=None, site=None, precision=None)

    def counted(_: str, usage: Any, **__: Any) -> Any:
        found = tokens_of(usage)
        return argparse.Namespace(as_dict=lambda: found)

    try:
        with (
            mock.patch.object(terminal, "estimate", counted),
            path.open(encoding="utf-8-sig") as file,
            redirect_stdout(io.StringIO()),
        ):
            terminal._usage(file, given)
    except ValueError as error:
        raise InputError(str(error)) from None


def sheet(path: Path) -> None:
    """A damaged sheet in a whole workbook."""
    with (
        zipfile.ZipFile(io.BytesIO(WORKBOOK)) as whole,
        zipfile.ZipFile(path.with_name("y.xlsx"), "w") as made,
    ):
        for name in whole.namelist():
            made.writestr(name, path.read_bytes() if name == SHEET else whole.read(name))
    deployments(path.with_name("y.xlsx"))


CONFIGURATIONS = Path("data/examples/configurations.csv").read_bytes()
WORKBOOK, SHEET = spreadsheet(CONFIGURATIONS), "xl/worksheets/sheet1.xml"
READERS: dict[str, tuple[Callable[[Path], Any], bytes, str]] = {
    "params": (params, YAML, ".yaml"),
    "registry": (read_registry, DATA_SET, ".yaml"),
    "deployment": (read_deployment, DEPLOYMENT, ".yaml"),
    "contract": (contract_of("pue"), head("pue"), ".csv"),
    "checked": (read_checked, head("hardware"), ".csv"),
    "chips": (contract_of("hardware"), head("hardware"), ".csv"),
    "user table": (read_user_table, CONFIGURATIONS, ".csv"),
    "user Parquet": (deployments, parquet(CONFIGURATIONS), ".parquet"),
    "user spreadsheet": (deployments, WORKBOOK, ".xlsx"),
    "user sheet": (sheet, zipfile.ZipFile(io.BytesIO(WORKBOOK)).read(SHEET), ".xml"),
    "predict": (deployments, CONFIGURATIONS, ".csv"),
    "measured": (measured, MEASURED, ".csv"),
    "own chip": (deployments, OWN_CHIP, ".csv"),
    "usage": (usage, USAGE, ".jsonl"),
    "user lines": (read_user_table, LINES, ".jsonl"),
    "upstream JSON": (load_json, JSON, ".json"),
    "upstream CSV": (lambda path: load_csv(path, ["time", "node"]), POWER, ".csv"),
    "bibliography": (reference_keys, BIB, ".bib"),
    "requests": (lambda path: open_source(str(path), REQUESTS), LOG, ".csv"),
    "power": (lambda path: open_source(str(path), POWER_SERIES), POWER, ".csv"),
    "requests in Parquet": (lambda path: open_source(str(path), REQUESTS), parquet(LOG), ".parquet"),
}


SAMPLES = sorted(Path("tests/logs/samples").iterdir())
LOGS_NASTY = [*NASTY, b"[" * 100_000, b'{"a":' * 50_000, b"1e999", b"9999-12-31", b'"a":1,"a":1,', b"-0"]


def read_log(path: Path) -> Any:
    facts = {"node": "n", "model": "m", "scope": "node_wall", "dates": "month_first", "time_zone": "UTC"}
    given = Deployment.model_validate(facts | {"starts": {path.name: "2026-01-05T00:00:00Z"}})
    (path.parent / "out").mkdir(exist_ok=True)
    return gather([str(path)], given, path.parent / "out")


def damaged(good: bytes, rng: random.Random, nasty: list[bytes] = NASTY) -> bytes:
    """One to four changes: a slice left out, doubled or moved, a byte changed, something nasty put in."""
    found = bytearray(good)
    for _ in range(rng.randint(1, 4)):
        at, to = sorted(rng.randrange(len(found) + 1) for _ in range(2))
        kind = rng.randrange(6)
        if kind == 0:
            del found[at : min(to, at + 40)]
        elif kind == 1:
            found[at:at] = found[at : at + 60]
        elif kind == 2:
            found[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 3:
            del found[to:]
        else:
            found[at:at] = rng.choice(nasty)
    return bytes(found)


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_input_is_read_or_refused_in_short_lines(name: str, tmp_path: Path) -> None:
    reader, good, suffix = READERS[name]
    rng, path = random.Random(name), tmp_path / f"x{suffix}"
    path.write_bytes(good)
    reader(path)
    count = EACH // SLOWER if "sheet" in name else EACH
    hold(reader, path, [damaged(good, rng) for _ in range(count)])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_damaged_log_is_read_or_refused_in_short_lines(sample: Path, tmp_path: Path) -> None:
    rng, path = random.Random(sample.name), tmp_path / sample.name
    hold(read_log, path, [damaged(sample.read_bytes(), rng, LOGS_NASTY) for _ in range(EACH_LOG)])


def hold(reader: Callable[[Path], Any], path: Path, inputs: list[bytes]) -> None:
    """Read each, or see it refused."""
    for bad in inputs:
        path.write_bytes(bad)
        try:
            reader(path)
        except InputError as error:
            lines = str(error).splitlines()
            assert lines and max(map(len, lines)) < LONGEST + len(str(path)), (error, bad)
        except Exception as error:
            raise AssertionError(f"{error!r} for {bad!r}") from error
