"""Measured sources: which rows serve which fit and check, what readers share, all joined into one table."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from pipeline.core.errors import InputError
from pipeline.core.files import write_csv
from pipeline.core.read import read_table, validate
from pipeline.core.units import JOULES_PER_WH
from pipeline.ingest.contract_sources import SERVING_FILE, SERVING_MEASUREMENTS
from pipeline.ingest.names import Names

PATH = Path("data/telemetry/sources.csv")


def with_role(table: pd.DataFrame, role: str) -> pd.DataFrame:
    """The rows that serve a fit or a check.

    Parameters
    ----------
    table : rows of measurements, with `fits` and `checks` of their source, codes joined with ';'.
    role : a code of data/telemetry/sources.csv, such as "step".

    Returns
    -------
    The rows whose source has the role.

    Examples
    --------
    >>> rows = pd.DataFrame({"key": ["a", "b", "c"], "fits": ["step;power", None, "power"], "checks": "chat"})
    >>> with_role(rows, "step")["key"].tolist()
    ['a']
    """
    roles = table["fits"].fillna("") + ";" + table["checks"].fillna("")
    return table[roles.str.split(";").map(lambda held: role in held).astype(bool)]


def check_sources(sources: pd.DataFrame, data_sets: Collection[str], references: Collection[str]) -> None:
    """Every upstream data set is registered, every citation in the bibliography; raises InputError.

    sources: SOURCES; data_sets: names of registry.yaml; references: keys of paper/references.bib.
    """
    upstream = sources["upstream"]
    unknown = upstream.notna() & ~upstream.isin(list(data_sets))
    refuse(unknown, sources, PATH, "upstream", "a data set of data/telemetry/registry.yaml")
    cited = sources["citation"].isin(list(references))
    refuse(~cited, sources, PATH, "citation", "a key of paper/references.bib")


def refuse(wrong: pd.Series, table: pd.DataFrame, path: Path | str, column: str, expected: str) -> None:
    """Raise InputError at the first row that is wrong, if any; wrong: (n,) bool."""
    if wrong.any():
        at = int(np.asarray(wrong).argmax())
        value = table[column].tolist()[at]
        raise InputError.at(
            path, row=at + 2, column=column, value="" if pd.isna(value) else value, expected=expected
        )


FOLDER = Path("data/telemetry/serving")
AGREEMENT = 0.02  # J/token against W over tokens/s: rounding of the sources is far below this
# What a row does not state itself, its source may state of all rows.
OF_ALL_ROWS = ["task", "load", "engine", "engine_version", "run_date"]
OF_THE_SOURCE = ["title", "laboratory", "citation", "boundary"]
SIZES = ["total_params_b", "active_params_b"]
FACTS = ["model", *SIZES, "architecture"]
SIZE_ROUNDING = 0.1  # some print 3 billion for 3.3
MEASURED_AS = {"throughput": ["output_tokens_per_s"], "node_power": ["node_w"]} | {
    "gpu_power": ["gpu_w", "gpu_j_per_output_token", "wh_per_request"]
}


class Models:
    """Name, sizes and architecture of a model as a source writes it.

    measured: MODELS of data/telemetry, by id or name; known: MODELS of data/published, by any spelling.
    """

    def __init__(self, measured: pd.DataFrame, known: pd.DataFrame) -> None:
        names = measured.drop_duplicates("model").assign(upstream_model=lambda table: table["model"])
        both = pd.concat([measured, names]).drop_duplicates("upstream_model")
        self._measured: dict[Any, dict[Any, Any]] = both.set_index("upstream_model")[FACTS].to_dict("index")
        self._known: dict[Any, dict[Any, Any]] = known.set_index("model")[SIZES].to_dict("index")
        self._names = Names.of(known)

    def facts(self, name: str) -> dict[str, Any]:
        """`model`, SIZES and `architecture`; missing where no table has the model."""
        if name in self._measured:
            return self._measured[name]
        model = self._names.find(name)
        return {**dict.fromkeys(FACTS), **({"model": model, **self._known[model]} if model else {})}

    def near(self, name: str) -> str:
        """What may have been meant, to end a message; "" where nothing is alike."""
        near = self._names.nearest(name)
        return f" ({', '.join(near)}?)" if near else ""


def finish(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Order and check what a reader made of a source, in the contract SERVING_FILE.

    rows: the columns of the contract that the reader knows; name: of the source, for messages.
    """
    table = rows.reindex(columns=list(SERVING_FILE.columns)).sort_values("key", kind="stable")
    return validate(typed(table).reset_index(drop=True), SERVING_FILE, name)


def typed(table: pd.DataFrame, contract: pa.DataFrameSchema = SERVING_FILE) -> pd.DataFrame:
    """Numbers as float64 and texts as str, as the contract has them, also where a column is blank."""
    kinds = {
        name: "float64" if str(column.dtype) == "float64" else "str"
        for name, column in contract.columns.items()
        if name in table
    }
    return table.astype(kinds).replace("", np.nan)


def write_source(table: pd.DataFrame, source: str) -> None:
    """Write the file of one source, without the columns that are blank throughout."""
    write_csv(table.dropna(axis="columns", how="all"), FOLDER / f"{source}.csv")


def energy_from_power(table: pd.DataFrame) -> pd.DataFrame:
    """Add J per output token and Wh per request from watts and tokens/s (whole node of GPUs)."""
    joules = table["gpu_w"] / table["output_tokens_per_s"]
    return table.assign(
        gpu_j_per_output_token=joules, wh_per_request=joules * table["output_tokens"] / JOULES_PER_WH
    )


def flag(where: pd.Series, code: str) -> pd.Series:
    """A new column of codes: `code` where the condition holds, else missing."""
    return where.map({True: code, False: None}).astype("str")


def read_measurements(sources: pd.DataFrame, folder: Path = FOLDER) -> dict[str, pd.DataFrame]:
    """The rows of every file in `folder`, by source, as SERVING_FILE has them.

    sources: SOURCES; raises InputError for a file that sources.csv does not name.
    """
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem not in set(sources["source"]):
            raise InputError(f"{path}: a file without a source, expected a row {path.stem!r} in sources.csv")
        tables[path.stem] = read_table(path, SERVING_FILE)
    return tables


def join(
    tables: dict[str, pd.DataFrame], sources: pd.DataFrame, models: Models, engines: pd.DataFrame
) -> pd.DataFrame:
    """All rows in the contract SERVING_MEASUREMENTS, by source in the order of sources.csv, then by key.

    tables: SERVING_FILE by source; sources: SOURCES; engines: ENGINES. Raises InputError
    where a row contradicts its source, repeats a key, or names a model that no table has.
    """
    facts = sources.set_index("source")
    known = [source for source in facts.index if source in tables]
    parts = [_of_source(tables[source], facts.loc[source], models) for source in known]
    table = pd.concat(parts, ignore_index=True)
    _check_keys(table)
    released = engines.set_index(["engine", "engine_version"])["released"]
    versions = pd.MultiIndex.from_frame(table[["engine", "engine_version"]])
    published = pd.Series(released.reindex(versions).to_numpy(), table.index, dtype="str")
    table["engine_date"] = published.fillna(table["run_date"])
    disagrees = _disagrees(table)
    table["flags"] = _add_flag(table["flags"], disagrees, "energy_disagrees_with_power")
    table = typed(table[list(SERVING_MEASUREMENTS.columns)], SERVING_MEASUREMENTS)
    return validate(table, SERVING_MEASUREMENTS, "serving_measurements")


def _of_source(rows: pd.DataFrame, about: pd.Series, models: Models) -> pd.DataFrame:
    source = str(about.name)
    path = FOLDER / f"{source}.csv"
    _check_against(rows, about, path)
    keys = pd.Series([f"{source}/{number}" for number in range(2, len(rows) + 2)], rows.index, dtype="str")
    rows = _with_models(rows, models, path).assign(source=source, key=rows["key"].fillna(keys))
    rows["gpu_w"] = rows["gpu_w"].fillna(rows["gpu_j_per_output_token"] * rows["output_tokens_per_s"])
    for column in OF_ALL_ROWS:
        rows[column] = rows[column].fillna(about[column]) if pd.notna(about[column]) else rows[column]
    rows = rows.assign(**{column: about[column] for column in OF_THE_SOURCE})
    rows["set_aside"] = rows["set_aside"].fillna(about["set_aside"]).astype("str")
    for role in ("fits", "checks"):
        rows[role] = pd.Series(about[role], rows.index, dtype="str").mask(rows["set_aside"].notna())
    return rows


def _with_models(rows: pd.DataFrame, models: Models, path: Path) -> pd.DataFrame:
    """The rows with name, sizes and architecture of the model, where no table has it as the file states."""
    facts = pd.DataFrame([models.facts(name) for name in rows["model"]], rows.index)
    unsized = facts["model"].isna() & rows[SIZES].isna().any(axis=1)
    if unsized.any():
        at = int(unsized.to_numpy().argmax())
        name = str(rows["model"].iloc[at])
        expected = f"a model of data/telemetry/models.csv or data/published/models.csv{models.near(name)}"
        expected += f", or {' and '.join(SIZES)} beside it"
        raise InputError.at(path, row=at + 2, column="model", value=name, expected=expected)
    for column in SIZES:
        wrong = (rows[column] / facts[column] - 1).abs() > SIZE_ROUNDING
        refuse(wrong, rows, path, column, "within a tenth of what the table of models says")
    sizes = facts[SIZES].fillna(rows[SIZES])
    guess = pd.Series(np.where(sizes[SIZES[0]] > sizes[SIZES[1]], "moe", "dense"), rows.index)
    return rows.assign(
        upstream_model=rows["model"],
        model=facts["model"].fillna(rows["model"]),
        architecture=facts["architecture"].fillna(guess),
        **sizes,
    )


def _check_against(rows: pd.DataFrame, about: pd.Series, path: Path) -> None:
    """A file holds what its source says that it measures, and states prompts where the source says so."""
    measures = str(about["measures"]).split(";")
    for name, columns in MEASURED_AS.items():
        there = [column for column in columns if rows[column].notna().any()]
        if there and name not in measures:
            at = int(rows[there[0]].notna().to_numpy().argmax())
            expected = f"a blank, because sources.csv does not say that {path.stem} measures {name}"
            value = float(rows[there[0]].iloc[at])
            raise InputError.at(path, row=at + 2, column=there[0], value=value, expected=expected)
        if name in measures and not there:
            raise InputError(
                f"{path}: no value in {', '.join(columns)}, though sources.csv says that it measures {name}"
            )
    if about["lengths"] == "stated":
        blank = rows["input_tokens"].isna() & rows["set_aside"].isna()
        expected = "a number, because sources.csv says that lengths are stated"
        refuse(blank, rows, path, "input_tokens", expected)


def _check_keys(table: pd.DataFrame) -> None:
    twice = table["key"].duplicated()
    if twice.any():
        second = table[twice].iloc[0]
        path = FOLDER / f"{second['source']}.csv"
        expected = "a key that no other row of any source has"
        raise InputError.at(path, row=None, column="key", value=second["key"], expected=expected)


def _disagrees(table: pd.DataFrame) -> pd.Series:
    """Where energy per token is not power over throughput; false where one of the three is missing."""
    ratio = table["gpu_j_per_output_token"] * table["output_tokens_per_s"] / table["gpu_w"]
    return (ratio - 1).abs() > AGREEMENT


def _add_flag(flags: pd.Series, where: pd.Series, code: str) -> pd.Series:
    joined = flags.map(lambda old: code if pd.isna(old) else f"{old};{code}")
    return flags.astype("str").mask(where, joined.astype("str"))
