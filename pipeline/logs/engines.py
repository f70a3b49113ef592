"""The engines that run the expressions: DuckDB inside this process, or Spark near or far.

`duckdb` | `local[n]` | `spark://host:port` (standalone cluster) | `sc://host:port` (Spark Connect). Only
what differs between engines is here: opening a session, reading files, microseconds of a timestamp.
"""

import glob
import os
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd
from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.core.processes import temporary_folder
from pipeline.logs.assumptions import ENGINES
from pipeline.logs.sources import Source

UTC_TIMESTAMP = dt.Timestamp(timezone="UTC")


@ibis.udf.scalar.builtin(name="epoch_us", signature=((dt.timestamp,), dt.int64))
def _duckdb_microseconds(time: Any) -> Any:
    """DuckDB's function of that name."""


@ibis.udf.scalar.builtin(name="unix_micros", signature=((UTC_TIMESTAMP,), dt.int64))
def _spark_microseconds(time: Any) -> Any:
    """Spark's function of that name."""


class Engine:
    """An open session: reads logs, gives time as microseconds, keeps small tables, fetches results."""

    def __init__(self, backend: Any, session: Any = None, spill: str = "") -> None:
        self.backend = backend
        self.session = session
        self.spill = spill
        self.is_spark = session is not None
        self._kept: list[Any] = []

    def read(self, source: Source) -> ir.Table:
        """The rows of a log as they stand; every column of a text log is text."""
        table = self._read_spark(source) if self.is_spark else self._read_duckdb(source)
        return table.rename(source.renamed) if source.renamed else table

    def microseconds(self, time: ir.TimestampValue) -> ir.IntegerValue:
        """Microseconds since 1970 UTC of a timestamp."""
        if self.is_spark:
            return _spark_microseconds(time.cast(UTC_TIMESTAMP))
        # no cast: DuckDB's detour over time zones is slow, and a time without a zone is in UTC here
        return _duckdb_microseconds(time)

    def has_zone(self, raw: ir.Table, column: str) -> bool:
        """Whether a column of timestamps says which instants they are."""
        if not self.is_spark:
            return raw.schema()[column].timezone is not None
        # Ibis takes both of Spark's types for times without a zone
        frame = self.session.sql(self.backend.compile(raw.select(column)))
        return frame.schema[column].dataType.typeName() != "timestamp_ntz"

    def keep(self, table: ir.Table) -> ir.Table:
        """Compute a table once, for several uses."""
        if not self.is_spark:
            return self.backend.create_table(_new_name(), table)
        # a checkpoint, not a cache: Spark plans anew all that leads to a cached table, whenever it is used
        frame = self.session.sql(self.backend.compile(table)).localCheckpoint()
        self._kept.append(frame)  # what is no longer held is dropped
        return self._view(frame)

    def name(self, table: ir.Table) -> ir.Table:
        """The same table under a name of its own, so that what is built on it compiles a short query."""
        if self.is_spark:
            return self._view(self.session.sql(self.backend.compile(table)))
        return self.backend.create_view(_new_name(), table)

    def small(self, table: pd.DataFrame) -> ir.Table:
        """A small pandas table as one of the engine."""
        if not self.is_spark:
            return self.backend.create_table(_new_name(), ibis.memtable(table), temp=True)
        columns = [str(name) for name in table]
        return self._view(self.session.createDataFrame(table.to_numpy().tolist(), columns))

    def fetch(self, table: ir.Table) -> Any:
        """The rows of a (small) table as a pandas table."""
        return self.backend.execute(table)

    def complaint(self, error: Exception) -> InputError | None:
        """In one line, when the error is of memory or of room in DuckDB's temporary folder."""
        text = str(error)
        if "max_temp_directory_size" in text or (self.spill and "Could not" in text and self.spill in text):
            return InputError(
                f"the temporary folder {self.spill} cannot take what does not fit in memory: make room, set "
                f"TMPDIR to another folder or raise logs.memory_limit_mb ({text.splitlines()[0]})"
            )
        if "Out of Memory" in text:
            return InputError("the engine ran out of memory: raise logs.memory_limit_mb")
        return None

    def close(self) -> None:
        """Let go of what was kept and end the session."""
        if self.is_spark:
            self._kept.clear()
            self.session.stop()
        else:
            self.backend.disconnect()

    def _view(self, frame: Any) -> ir.Table:
        name = _new_name()
        frame.createTempView(name)
        return self.backend.table(name)

    def _read_duckdb(self, source: Source) -> ir.Table:
        paths = [glob.escape(str(file)) for file in source.files] or source.name
        if source.format == "parquet":
            return self.backend.read_parquet(paths, hive_partitioning=False)
        columns = dict.fromkeys(source.columns, "VARCHAR")
        if source.format == "csv":
            return self.backend.read_csv(
                paths, columns=columns, auto_detect=False, header=True, delim=",", quote='"',
                hive_partitioning=False,
            )  # fmt: skip
        return self.backend.read_json(
            paths, columns=columns, format="newline_delimited", hive_partitioning=False
        )

    def _read_spark(self, source: Source) -> ir.Table:
        # each file by name, as to DuckDB: left to themselves, the two read different files of a folder
        paths = [_for_hadoop(file) for file in source.files] or [source.name]
        if source.format == "parquet":
            return self._view(self.session.read.parquet(*paths))
        schema = ", ".join(f"`{column}` STRING" for column in source.columns)
        if source.format == "csv":
            return self.backend.read_csv(
                paths, schema=schema, inferSchema=False, header=True, mode="FAILFAST"
            )
        return self.backend.read_json(paths, schema=schema, mode="FAILFAST")


def progress(what: str, total: int | None = None, unit: str = "step") -> tqdm:
    """A bar for those who wait: on a terminal only, and from the fifth second on."""
    return tqdm(
        desc=what, total=total, unit=unit, unit_scale=total is None, delay=5, disable=None, leave=False,
        file=sys.stderr,
    )  # fmt: skip


def first_lines(error: Exception) -> str:
    """What an engine says first; Spark names its own call before the reason."""
    lines = [line.strip().lstrip(": ") for line in str(error).splitlines() if line.strip()]
    return lines[1] if lines[0].startswith("An error occurred while calling") and lines[1:] else lines[0]


def _new_name() -> str:
    return f"log_{uuid.uuid4().hex}"


def _for_hadoop(file: Path) -> str:
    """The address of a file; what Hadoop would take for a pattern is escaped."""
    return "file://" + re.sub(r"([\\\[\]{}*?])", r"\\\1", str(file.resolve()))


@contextmanager
def connect(engine: str, memory_limit_mb: int) -> Iterator[Engine]:
    """Open an engine by its name and close it at the end; raises InputError when it cannot be reached.

    DuckDB keeps to `memory_limit_mb` and spills to a temporary folder; Spark has its own settings.
    """
    if not re.fullmatch(ENGINES, engine):
        raise InputError(f"engine {engine!r}: expected duckdb, local[*], spark://host:port or sc://host:port")
    with ExitStack() as stack:
        try:
            # TMPDIR named here: Python would pass over one that cannot be used and fill another folder
            spill = stack.enter_context(temporary_folder(os.environ.get("TMPDIR")))
        except OSError as error:
            message = f"no temporary folder ({error}): set TMPDIR to a folder that can be written"
            raise InputError(message) from None
        opened = _duckdb(memory_limit_mb, str(spill)) if engine == "duckdb" else _spark(engine)
        try:
            yield opened
        finally:
            opened.close()


def _duckdb(memory_limit_mb: int, spill: str) -> Engine:
    # Tables that are kept are in a file, packed, and so take no memory beside the step that works. The order
    # of rows plays no role here; not keeping it lets DuckDB stream.
    try:
        backend = ibis.duckdb.connect(
            Path(spill, "kept.duckdb"), memory_limit=f"{memory_limit_mb}MB", temp_directory=spill,
            preserve_insertion_order=False,
        )  # fmt: skip
        backend.raw_sql("SET TimeZone = 'UTC'")
        backend.raw_sql("PRAGMA disable_checkpoint_on_shutdown")  # the file goes
    except Exception as error:
        raise InputError(
            f"the temporary folder {spill} cannot be written: make room or set TMPDIR to another folder "
            f"({first_lines(error)})"
        ) from None
    return Engine(backend, spill=spill)


def _spark(engine: str) -> Engine:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise InputError(f"engine {engine!r} needs pyspark: `make setup-spark`, then .venv-spark") from None
    remote = engine.startswith("sc://")
    builder = SparkSession.builder.remote(engine) if remote else SparkSession.builder.master(engine)
    settings = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
    if not remote:
        settings |= {
            "spark.app.name": "perquery-logs",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        settings["spark.log.level"] = os.environ.get("PERQUERY_SPARK_LOG_LEVEL", "ERROR")
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
        return Engine(ibis.pyspark.connect(session), session)
    except Exception as error:
        raise InputError(f"engine {engine!r} cannot be opened: {str(error).splitlines()[0]}") from None
