"""What a prediction rests on: how far a configuration lies from what was measured.

measured configuration   the laboratory that is named measured this configuration near this load
same model               somebody measured the configuration near this load, or the model on the chip
pooled                   the chip was measured near this load
extrapolated             the chip was not, or the count or format lies beyond all measurements
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.serving.model.architecture import Array
from pipeline.serving.model.effects import NONE, joined
from pipeline.serving.model.prepare import Prepared, Tables, has_units
from pipeline.serving.model.settings import BASES, ENGINES, Serving

COLUMNS = [
    "configuration",
    "laboratory",
    "model",
    "gpu",
    "gpus",
    "concurrency",
    "input_tokens",
    "output_tokens",
]
LOAD = ("concurrency", "input_tokens", "output_tokens")


def supported(p: Prepared) -> pd.DataFrame:
    """COLUMNS of the measured rows, each once; concurrency is what ran."""
    found = p.rows.assign(
        model=p.rows["model_level"],
        concurrency=p.load.concurrency.round(2),
        gpus=p.load.gpus.astype(int),
        input_tokens=p.load.input_tokens.round(1),
        output_tokens=p.load.output_tokens.round(1),
    )
    return found[COLUMNS].drop_duplicates().sort_values(COLUMNS, ignore_index=True)


class Support:
    """Measured rows, COLUMNS, in which the nearest is looked up; trees are kept for the next who asks."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.models, self.chips = table["model"].unique(), table["gpu"].unique()
        self.most_gpus = table["gpus"].max()
        self._rows: dict[tuple[str, ...], dict[str, NDArray[np.intp]]] = {}
        self._trees: dict[tuple[str | float, ...], cKDTree] = {}

    def engine_odds(self, rows: pd.DataFrame, usual: Array) -> Array:
        """Of each of ENGINES in rows that state none, (n, E): `usual`, which counts as one measured row, and
        those of the laboratory; then these, as one row, and those of its rows with the model on the chip.
        """
        theirs = self.table.assign(engine=self.table["configuration"].str.partition("|")[0])
        rows, odds = rows.assign(model=rows["model_level"]), np.tile(usual, (len(rows), 1))
        for of in (["laboratory"], ["laboratory", "model", "gpu"]):
            measured = pd.crosstab(joined(*(theirs[name] for name in of)), theirs["engine"])
            names = joined(*(rows[name] for name in of))
            count = measured.reindex(index=names, columns=list(ENGINES), fill_value=0).to_numpy(float)
            odds = (odds + count) / (1 + count.sum(axis=1, keepdims=True))
        return odds

    def distance(self, at: Array, names: NDArray[np.object_], of: tuple[str, ...], units: Array) -> Array:
        """Least distance, in units of what is near, to rows of the same name, (n,); infinite: none.

        at: ln LOAD in the units, (n, 3); names: what rows have in the columns `of`, joined.
        """
        if of not in self._rows:
            theirs = joined(*(self.table[name] for name in of)) if of else np.full(len(self.table), NONE)
            self._rows[of] = _grouped(theirs)
        found = np.full(len(names), np.inf)
        for name, rows in _grouped(names).items():
            if name in self._rows[of]:
                found[rows] = self._tree(name, of, units).query(at[rows], p=np.inf)[0]
        return found

    def _tree(self, name: str, of: tuple[str, ...], units: Array) -> cKDTree:
        key = (name, *of, *units.tolist())
        if key not in self._trees:
            rows = self._rows[of][name]
            self._trees[key] = cKDTree(np.log(self.table[list(LOAD)].to_numpy(float)[rows]) / units)
        return self._trees[key]


def _grouped(names: NDArray[np.object_]) -> dict[str, NDArray[np.intp]]:
    """Where each name stands."""
    return {
        str(name): np.asarray(at) for name, at in pd.Series(range(len(names))).groupby(names).indices.items()
    }


def basis(
    p: Prepared, support: Support, tables: Tables, settings: Serving
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """One of BASES for each row, (n,), and whether it lies beyond what was measured in more than its chip."""
    near, model, configuration = settings.nearness.values, p.rows["model_level"], p.rows["configuration"]
    units = np.array([near["batch"], near["lengths"], near["lengths"]])
    at = np.log(np.column_stack([p.load.concurrency, p.load.input_tokens, p.load.output_tokens])) / units

    def nearest(names: NDArray[np.object_], *of: str) -> Array:
        return support.distance(at, names, of, units)

    own = nearest(joined(p.rows["laboratory"], configuration), "laboratory", "configuration")
    same = nearest(joined(configuration), "configuration")
    model_on_chip = nearest(joined(model, p.rows["gpu"]), "model", "gpu")
    anything = nearest(np.full(len(p.rows), NONE, object))
    chip = nearest(joined(p.rows["gpu"]), "gpu")
    seen = p.rows["gpu"].isin(support.chips).to_numpy() | model.isin(support.models).to_numpy()
    inside = seen & (anything <= 1) & (p.load.gpus <= support.most_gpus) & has_units(p, tables)
    sure = [inside & (own <= 1), inside & ((same <= 1) | (model_on_chip <= 1)), inside & (chip <= 1)]
    return np.select(sure, list(BASES[:3]), BASES[3]).astype(object), ~inside
