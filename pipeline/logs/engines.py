"""The engines that run the expressions: DuckDB inside this process, or Spark near or far.

`duckdb` | `local[n]` | `spark://host:port` (standalone cluster) | `sc://host:port` (Spark Connect). Only what
differs between engines is here: opening a session, reading files, microseconds of a timestamp.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from pipeline.errors import InputError
from pipeline.logs.sources import Source

UTC_TIMESTAMP = dt.Timestamp(timezone="UTC")


@ibis.udf.scalar.builtin(name="epoch_us", signature=((UTC_TIMESTAMP,), dt.int64))
def _duckdb_microseconds(time: Any) -> Any:
    """DuckDB's function of that name."""


@ibis.udf.scalar.builtin(name="unix_micros", signature=((UTC_TIMESTAMP,), dt.int64))
def _spark_microseconds(time: Any) -> Any:
    """Spark's function of that name."""


class Engine:
    """An open session: reads logs, gives time as microseconds, keeps small tables, fetches results."""

    def __init__(self, backend: Any, is_spark: bool) -> None:
        self.backend = backend
        self.is_spark = is_spark
        self._kept: list[ir.Table] = []

    def read(self, source: Source) -> ir.Table:
        """The rows of a log as they stand; every column of a text log is text."""
        return self._read_spark(source) if self.is_spark else self._read_duckdb(source)

    def microseconds(self, time: ir.TimestampValue) -> ir.IntegerValue:
        """Microseconds since 1970 UTC of a timestamp."""
        convert = _spark_microseconds if self.is_spark else _duckdb_microseconds
        return convert(time.cast(UTC_TIMESTAMP))

    def keep(self, table: ir.Table) -> ir.Table:
        """Compute a table once, for several uses."""
        cached = table.cache()
        self._kept.append(cached)
        return cached

    def fetch(self, table: ir.Table) -> Any:
        """The rows of a (small) table as a pandas table."""
        return self.backend.execute(table)

    def close(self) -> None:
        """Let go of what was kept."""
        self._kept.clear()

    def _read_duckdb(self, source: Source) -> ir.Table:
        paths = [str(file) for file in source.files] or source.name
        if source.format == "parquet":
            return self.backend.read_parquet(paths)
        columns = dict.fromkeys(source.columns, "VARCHAR")
        if source.format == "csv":
            return self.backend.read_csv(paths, columns=columns, auto_detect=False, header=True, delim=",", quote='"')
        return self.backend.read_json(paths, columns=columns, format="newline_delimited")

    def _read_spark(self, source: Source) -> ir.Table:
        name = source.name if "://" in source.name else Path(source.name).resolve().as_uri()
        if source.format == "parquet":
            return self.backend.read_parquet(name)
        schema = ", ".join(f"`{column}` STRING" for column in source.columns)
        if source.format == "csv":
            return self.backend.read_csv(name, schema=schema, inferSchema=False, header=True, mode="FAILFAST")
        return self.backend.read_json(name, schema=schema, mode="FAILFAST")


@contextmanager
def connect(engine: str, memory_limit_mb: int) -> Iterator[Engine]:
    """Open an engine by its name and close it at the end; raises InputError when it cannot be reached."""
    if engine == "duckdb":
        with tempfile.TemporaryDirectory(prefix="perquery-logs-") as spill:
            opened = Engine(_duckdb(memory_limit_mb, spill), is_spark=False)
            try:
                yield opened
            finally:
                opened.close()
                opened.backend.disconnect()
        return
    session = _spark_session(engine)
    try:
        opened = Engine(ibis.pyspark.connect(session), is_spark=True)
        yield opened
        opened.close()
    finally:
        session.stop()


def _duckdb(memory_limit_mb: int, spill: str) -> Any:
    # order of rows plays no role here; not keeping it lets DuckDB stream
    backend = ibis.duckdb.connect(
        memory_limit=f"{memory_limit_mb}MB", temp_directory=spill, preserve_insertion_order=False
    )
    backend.raw_sql("SET TimeZone = 'UTC'")
    return backend


def _spark_session(engine: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise InputError(f"engine {engine!r} needs pyspark: `make setup-spark`, then .venv-spark") from None
    remote = engine.startswith("sc://")
    builder = SparkSession.builder.remote(engine) if remote else SparkSession.builder.master(engine)
    settings = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
    if not remote:
        settings |= {"spark.app.name": "perquery-logs", "spark.ui.enabled": "false"}
        settings["spark.log.level"] = os.environ.get("PERQUERY_SPARK_LOG_LEVEL", "ERROR")
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise InputError(f"engine {engine!r} cannot be opened: {str(error).splitlines()[0]}") from None
