"""Rows as people write them, brought to the columns of the serving model, with all faults of each.

A blank has a meaning, which `assumed` says: lengths of conversations, the precision that the model is
published in, any measured engine, the headline's sites. Columns of one's own are carried through, unless
their name is so near to a known one that it is probably a misspelling.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.core.user_table import DECIMAL
from pipeline.deployment.model.chips import resolve_chips
from pipeline.deployment.model.contract import INPUTS, REQUIRED, added_columns
from pipeline.deployment.model.faults import Faults, numbers
from pipeline.ingest.chips import Chips
from pipeline.ingest.names import ENCODER, Names
from pipeline.ingest.words import (
    ENGINE_WORDS,
    OTHER_ENGINES,
    PRECISIONS,
    Precision,
    engine,
    engine_version,
    nearest_words,
    precision,
    precision_of,
    precision_words,
)
from pipeline.serving.model.prepare import WIDE

BLANK = ["", "NA", "N/A", "n/a", "nan", "NaN", "null", "None", "-"]  # as tools write what is missing
AUTO = ("auto", "default")
ANY_ENGINE = ("auto", "default", "any", "other", "unknown")
TAGGED = re.compile(r"[^/:\s]+:[^/:\s]+")  # of ollama, whose models have four bits unless they say more
GGUF_ENGINES = ("ollama", "llama.cpp", "LM Studio")
FOUR_BIT = (PRECISIONS["fp4"], PRECISIONS["w4a16"])
EMBEDS = re.compile(r"embed|rerank", re.IGNORECASE)  # names of models that answer with numbers, not words
NEAR = 0.85  # similarity of names, of 1, from which a column counts as misspelt
OTHER_SIZE = 1.5  # sources differ in what they count (embeddings, draft layers), but not by this factor
NATIVE = {"FP16": "bf16", "BF16": "bf16", "FP8": "fp8", "MXFP4": "fp4", "INT4": "w4a16"}
ISO_DATE = re.compile(r"20[2-4]\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
ENGINES = tuple(ENGINE_WORDS)


@dataclass(frozen=True)
class Known:
    """What names can mean: tables of facts, and what blanks are taken for.

    models: every row of models.csv by its name; releases: date of an engine and version; scenarios: keys of
    water.scenarios, the headline first; lengths: input_tokens and output_tokens, means; engine: of one's own
    measurements, which blanks then mean; laboratories: those that the model knows.
    """

    names: Names
    chips: Chips
    models: pd.DataFrame
    hardware: pd.DataFrame
    releases: Mapping[tuple[str, str], str]
    scenarios: Sequence[str]
    lengths: Mapping[str, float]
    engine: str | None = None
    laboratories: Sequence[str] = ()

    @property
    def shapes(self) -> list[str]:
        """Models of a shape of their own that write answers."""
        own = self.models["same_shape_as"].isna() & (self.models["attention"] != ENCODER)
        return list(self.models.index[own])


@dataclass(frozen=True)
class Checked:
    """n rows for the serving model, the accelerators they name, what was assumed, and what is wrong.

    rows has INPUTS, typed, blanks filled; where a row has a fault its values are not to be used. `model` is
    the row of models.csv or the user's own name, `shape` the model whose measurements it shares.
    """

    rows: pd.DataFrame
    hardware: pd.DataFrame
    assumed: list[list[str]]
    faults: Faults
    given: list[str]

    def shown(self) -> pd.DataFrame:
        """The user's columns of INPUTS as they were read, blanks filled; read again, they mean the same."""
        gpu = self.rows["gpu_as_read"]
        if "gpus" not in self.given:
            gpu = self.rows["gpus"].map("{:g}x".format) + gpu.astype(object)
        read = {"gpu": gpu, "precision": self.rows["precision_as_read"]}
        return self.rows[self.given].assign(
            **{name: values for name, values in read.items() if name in self.given}
        )


def check_columns(table: pd.DataFrame, path: Path | str, more: Sequence[str] = ()) -> None:
    """Raise InputError for a column that is misspelt, missing, or one that the prediction adds."""
    known = [*INPUTS, *more]
    ours = {*added_columns(compared=True)} - {*more}
    for position, name in enumerate(map(str, table.columns)):
        if name in ours:
            raise InputError(
                f"{path}, row 1: column {name!r} is added by the prediction, expected another name"
            )
        if name in list(table.columns[:position]):
            raise InputError(f"{path}, row 1: column {name!r} stands twice")
        near = get_close_matches(re.sub(r"\s+", "_", name.lower()), known, n=1, cutoff=NEAR)
        if name not in known and near:
            raise InputError(f"{path}, row 1: unknown column {name!r}, expected {near[0]!r} or another name")
    for name in REQUIRED:
        if name not in table:
            raise InputError(f"{path}, row 1: column {name!r} is missing, expected {' and '.join(REQUIRED)}")
    if table.empty:
        raise InputError(f"{path}: a header without rows, expected at least one")


def cells_of(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Cells of some columns, those that are not there blank; index 0 to n - 1, blanks None."""
    there = [name for name in columns if name in table and table[name].notna().any()]
    cells = table[there].reset_index(drop=True).astype(object)
    for name in there:
        cells[name] = [value.strip() if isinstance(value, str) else value for value in cells[name]]
    cells = cells.mask(cells.isin(BLANK)).reindex(columns=list(columns)).astype(object)
    return cells.where(cells.notna(), None)


def check_rows(table: pd.DataFrame, known: Known) -> Checked:
    """Every row with all of its faults; columns as `check_columns` leaves them."""
    cells = cells_of(table, INPUTS)
    faults = Faults(table.index)
    assumed: list[list[str]] = [[] for _ in range(len(cells))]
    decimal = table.attrs.get(DECIMAL, ".")
    rows = pd.DataFrame(index=cells.index)
    for name, column in INPUTS.items():
        if column.kind == "text":
            rows[name] = cells[name] = cells[name].map(_text, na_action="ignore").astype(object)
        else:
            rows[name] = numbers(cells[name], column, decimal, faults)
    check = _Check(cells, rows, known, faults, assumed)
    check.model()
    check.engine()
    check.laboratory()
    check.precision()
    check.lengths()
    check.site()
    hardware = resolve_chips(cells, rows, known.chips, known.hardware, faults, assumed)
    check.units(hardware)
    faults.add(cells["concurrency"].isna(), "concurrency", cells["concurrency"], "a number, not a blank")
    given = [str(name) for name in table.columns if name in INPUTS]
    return Checked(rows, hardware, assumed, faults, given)


@dataclass(frozen=True)
class _Check:
    cells: pd.DataFrame
    rows: pd.DataFrame
    known: Known
    faults: Faults
    assumed: list[list[str]]

    def assume(self, where: Any, say: Callable[[int], str]) -> None:
        """Note of each row where `where` (n,) holds what was assumed."""
        for at in np.flatnonzero(np.asarray(where, dtype=bool)):
            self.assumed[at].append(say(int(at)))

    def each(self, column: str, reading: Callable[[str], Any]) -> pd.Series:
        """What every distinct text of a column means; None for blanks and what has no meaning."""
        texts = self.cells[column]
        meaning = {text: reading(str(text)) for text in texts.dropna().unique()}
        return texts.map(meaning, na_action="ignore").astype(object).where(texts.notna(), None)

    def model(self) -> None:
        """Name, shape and parameters: those of models.csv, or the user's own."""
        names, rows = self.known.names, self.rows
        written = self.cells["model"]
        found = self.each("model", lambda text: names.find(text) or None)
        rows["shape"] = found.map(names.resolve, na_action="ignore").astype(object).where(found.notna(), None)
        read_as = found.notna() & (found != written)
        self.assume(
            read_as & (found.map(_plain) != written.map(_plain)), lambda at: f"model {found.iloc[at]}"
        )
        rows["model"] = found.where(found.notna(), written)
        self._sizes(found)
        self._context(found)

    def _sizes(self, found: pd.Series) -> None:
        rows, faults, unknown = self.rows, self.faults, found.isna()
        facts = self.known.models.reindex(found)
        sized = rows[["total_params_b", "active_params_b"]].notna().all(axis=1)
        named = unknown & self.cells["model"].notna() & ~sized
        for at in np.flatnonzero(named):
            text = self.cells["model"].iloc[at]
            near = self.known.names.nearest(text)
            nearest = f" (nearest: {', '.join(near)})" if near else ""
            wanted = f"a model of data/published/models.csv{nearest}, or total_params_b and active_params_b"
            faults.one(int(at), "model", self.cells["model"].iloc[at], wanted)
        for name in ("total_params_b", "active_params_b"):
            blank = unknown & self.cells["model"].isna() & self.cells[name].isna()
            faults.add(blank, name, self.cells[name], "a number, where no model is named")
            theirs = facts[name].to_numpy(float)
            given = rows[name].to_numpy(float)
            other = np.abs(np.log(given / theirs)) > np.log(OTHER_SIZE)
            faults.add(other, name, self.cells[name], "about what models.csv has for the model")
            rows[name] = np.where(np.isnan(given), theirs, given)
        too_many = rows["active_params_b"] > rows["total_params_b"]
        faults.add(too_many, "active_params_b", rows["active_params_b"], "at most total_params_b")
        self.assume(unknown & sized, lambda _: "shape of the model from its size")

    def _context(self, found: pd.Series) -> None:
        published = self.known.models["max_context_tokens"].reindex(found).to_numpy(float)
        own = self.rows["max_context_tokens"].to_numpy(float)
        self.rows["max_context_tokens"] = np.where(np.isnan(own), published, own)

    def precision(self) -> None:
        """Of the weights: stated, said by the model's name, or as published; and of the cache."""
        texts = self.cells["precision"]
        auto = texts.map(lambda text: str(text).lower() in AUTO).to_numpy(bool)
        stated = self.each("precision", precision)
        unknown = texts.notna() & ~auto & stated.isna()
        for at in np.flatnonzero(unknown):
            near = ", ".join(nearest_words(texts.iloc[at], precision_words()))
            expected = "a precision such as bf16, fp8, int8, nvfp4, awq" + (
                f" (nearest: {near})" if near else ""
            )
            self.faults.one(int(at), "precision", texts.iloc[at], expected)
        named = self.each("model", precision_of)
        native = self.known.models["native_precision"].map(NATIVE)
        published = self.rows["model"].map(native, na_action="ignore").map(precision, na_action="ignore")
        tagged = self.cells["model"].map(lambda text: bool(TAGGED.fullmatch(str(text))))
        local = (tagged | self.rows["engine"].isin(GGUF_ENGINES)) & ~published.isin(FOUR_BIT)
        published = published.mask(local, precision("gguf"))
        chosen = stated.where(stated.notna(), named.where(named.notna(), published)).map(
            lambda one: one if isinstance(one, Precision) else None
        )
        missing = chosen.isna() & ~unknown
        self.faults.add(missing, "precision", texts, "a precision, where the model does not give one")
        words = chosen.map(lambda one: one.word, na_action="ignore").astype(object)
        guessed = chosen.map(lambda one: bool(one and one.guess)).astype(bool)
        self.assume((stated.isna() | guessed) & chosen.notna(), lambda at: f"precision {words.iloc[at]}")
        self.rows["precision"] = chosen.map(lambda one: one.name, na_action="ignore").astype(object)
        self.rows["precision_as_read"] = texts.where(stated.notna(), words)
        self.rows["weight_bits"] = chosen.map(lambda one: one.bits, na_action="ignore").astype(float)
        cache = self.each("cache_precision", precision).map(
            lambda one: one.name if one and one.name in ("bf16", "fp8") else None, na_action="ignore"
        )
        texts = self.cells["cache_precision"]
        auto = texts.map(lambda text: str(text).lower() in AUTO).to_numpy(bool)
        self.faults.add(texts.notna() & ~auto & cache.isna(), "cache_precision", texts, "bf16 or fp8")
        self.rows["cache_precision"] = cache.where(cache.notna(), None)

    def units(self, hardware: pd.DataFrame) -> None:
        """Say of formats that the accelerator does not multiply in what it does instead."""
        peaks = hardware[["peak_fp8_tflops", "peak_fp4_tflops", "peak_int8_tops"]].notna()
        able = peaks.set_axis(["fp8", "fp4", "int8"], axis=1).reindex(self.rows["gpu"], fill_value=True)
        bits, stated = self.rows["weight_bits"], self.rows["precision"]
        for name in able:
            wide = (stated == name).to_numpy() & ~able[name].to_numpy()
            self.assume(wide, lambda at: f"{bits.iloc[at]:g}-bit weights multiplied in bf16")
        odd = stated.isin(WIDE) & ~bits.isin([PRECISIONS[name].bits for name in WIDE])
        self.assume(odd, lambda at: f"{bits.iloc[at]:g}-bit weights multiplied in bf16")
        self.assume(stated == "fp32", lambda _: "fp32 at half the rate of bf16")

    def engine(self) -> None:
        """Measured engines by name; others count as any of these."""
        texts = self.cells["engine"]
        texts = texts.mask(texts.map(lambda text: str(text).lower() in ANY_ENGINE).astype(bool), None)
        found = self.each("engine", engine)
        unknown = texts.notna() & found.isna()
        for at in np.flatnonzero(unknown):
            words = [*ENGINES, *OTHER_ENGINES.values()]
            near = ", ".join(nearest_words(texts.iloc[at], words)) or ", ".join(ENGINES)
            expected = f"an engine (nearest: {near}) or a blank"
            self.faults.one(int(at), "engine", texts.iloc[at], expected)
        self.rows["engine"] = found
        open_, own = ~found.isin(ENGINES), self.known.engine
        self.rows["measured_engine"] = found.where(~open_, own)
        taken = f"{own}, as measured" if own else f"any of {', '.join(ENGINES)}"
        self.assume(~unknown & open_, lambda _: f"engine {taken}")
        dates = self.cells["engine_date"].map(_date, na_action="ignore")
        wrong = dates.notna() & ~dates.map(lambda text: bool(ISO_DATE.fullmatch(str(text))))
        self.faults.add(
            wrong, "engine_date", self.cells["engine_date"], "a date such as 2025-08-31 or 2025-08"
        )
        released = self.each("engine", self._released).where(~unknown & dates.isna(), None)
        self.assume(released.notna(), lambda at: f"engine_date {released.iloc[at]}")
        versions = self.each("engine", lambda text: engine_version(text) or None)
        undated = versions.notna() & ~unknown & ~open_ & dates.isna() & released.isna()
        self.assume(
            undated, lambda at: f"engine_date the present, as no release of {versions.iloc[at]} is known"
        )
        self.rows["engine_date"] = dates.where(dates.notna() & ~wrong, released)

    def laboratory(self) -> None:
        """Known ones in any case; another one is as any that was never measured."""
        named = {name.lower(): name for name in self.known.laboratories}
        texts = self.cells["laboratory"]
        found = self.each("laboratory", lambda text: named.get(text.lower(), text))
        self.rows["laboratory"] = found

        def say(at: int) -> str:
            near = nearest_words(found.iloc[at], named)
            return f"laboratory {found.iloc[at]}: none of {', '.join(near or named)}"

        self.assume(texts.notna() & ~found.isin(named.values()), say)

    def _released(self, text: str) -> str | None:
        """The release of the version behind an engine's name, if it is known."""
        name, version = engine(text), engine_version(text)
        spellings = (version, version.removesuffix(".0"), f"{version}.0")
        dates = (self.known.releases.get((str(name), one)) for one in spellings)
        return next((date for date in dates if date), None)

    def lengths(self) -> None:
        """Blank lengths are those of conversations; part of the prompt may be cached."""
        rows, faults = self.rows, self.faults
        for name in ("input_tokens", "output_tokens"):
            blank = self.cells[name].isna()
            taken = pd.Series(self.known.lengths[name], index=rows.index)
            if name == "output_tokens":
                taken[self._embeds()] = 0.0
            rows[name] = rows[name].where(~blank, taken)
            self.assume(blank, lambda at, name=name, taken=taken: f"{name} {taken.iloc[at]:g}")  # type: ignore[misc]
        answers = rows["output_tokens"]
        faults.add((answers > 0) & (answers < 1), "output_tokens", answers, "0 or at least 1")
        cached = rows["cached_input_tokens"]
        faults.add(cached > rows["input_tokens"], "cached_input_tokens", cached, "at most input_tokens")
        rows["cached_input_tokens"] = cached.fillna(0.0)

    def _embeds(self) -> NDArray[np.bool_]:
        """Models that answer with numbers, by their row or their name, (n,)."""
        encoder = self.known.models["attention"].reindex(self.rows["model"]) == ENCODER
        named = self.cells["model"].map(lambda text: bool(EMBEDS.search(str(text))))
        return np.asarray(encoder.to_numpy(bool) | named.to_numpy(bool))

    def site(self) -> None:
        """A scenario of sites by name, the headline where blank."""
        texts = self.cells["site_scenario"]
        named = {name.lower(): name for name in self.known.scenarios}
        found = self.each("site_scenario", lambda text: named.get(text.lower()))
        wrong = texts.notna() & found.isna()
        self.faults.add(wrong, "site_scenario", texts, f"one of {', '.join(self.known.scenarios)}")
        headline = self.known.scenarios[0]
        self.rows["site_scenario"] = found.where(found.notna(), headline)
        given = self.rows[["pue", "wue_l_per_kwh", "water_l_per_kwh_electricity"]].notna().all(axis=1)
        self.assume(texts.isna() & ~given, lambda _: f"site_scenario {headline}")


def _plain(name: Any) -> str:
    return re.sub(r"[^a-z0-9.]", "", str(name).split("/")[-1].lower())


def _date(value: Any) -> str:
    """A date of a spreadsheet comes with its time."""
    return str(value).removesuffix("T00:00:00").removesuffix(" 00:00:00")


def resolve_compared(rows: pd.DataFrame, faults: Faults) -> NDArray[np.int64]:
    """The position of the row that each is compared with, (n,); -1 where none is named.

    A name of the column `name` goes before a row, counted as the messages count. rows: of Checked.
    """
    found = np.full(len(rows), -1)
    names = rows["name"]
    by_row = {str(label): at for at, label in enumerate(faults.where)}
    for at, cell in enumerate(rows["compare_to"]):
        if pd.isna(cell):
            continue
        text = str(cell)
        same = np.flatnonzero((names == text).to_numpy(bool))
        there = by_row.get(text, -1) if len(same) == 0 else int(same[0]) if len(same) == 1 else -1
        if there < 0 or there == at:
            rows_are = f"{faults.where[0]} to {faults.where[-1]}"
            faults.one(at, "compare_to", cell, f"the `name` of one other row, or its row ({rows_are})")
        found[at] = there
    return found


def _text(value: Any) -> str:
    """A cell in words; spreadsheets hold 2025 and 3 as numbers."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
