"""Every candidate's held-out errors in one table, with the chosen form marked."""

import pandas as pd

from pipeline.assumptions.serving import Serving
from pipeline.contracts.serving import COMPARISON
from pipeline.fit.serving.alternatives import leave_one_cell_out, pooled
from pipeline.fit.serving.held_out import STEP_MODEL, point_errors, scores
from pipeline.fit.serving.names import joined
from pipeline.fit.serving.prepare import Tables, find_architecture

ORDER = ["rows", "left_out", "quantity", "form"]


def chosen_forms(settings: Serving) -> list[str]:
    """Names, in the held-out table, of the forms that predict elsewhere."""
    power = settings.power_form
    return [STEP_MODEL, power, f"{STEP_MODEL}, {power}"]


def with_alternatives(predictions: pd.DataFrame, training: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """The held-out predictions of the step model and of all alternatives, in a fixed order."""
    parts = [predictions]
    saturated = training[training["source"] == "tensorrt_llm"]
    by_cell = leave_one_cell_out(saturated)
    cells = saturated.set_index("key", drop=False).loc[by_cell.index]
    parts += [point_errors(cells, by_cell[form].to_numpy(), "cell", str(form)) for form in by_cell]

    chat = training[training["source"] == "mlenergy_v3"]
    named = chat.assign(shape_name=chat["model"].map(tables.names.resolve))
    shape = find_architecture(named, tables)
    sizes = pd.DataFrame({"total_params": shape.total_params, "active_params": shape.active_params})
    groups = {
        "model": named["shape_name"].to_numpy(object),
        "configuration": joined(named["shape_name"], named["gpu"], named["gpus"], named["precision"]),
    }
    for left_out, group in groups.items():
        for form, predicted in pooled(chat, sizes, group).items():
            parts.append(point_errors(chat, predicted, left_out, form))
    return pd.concat(parts, ignore_index=True).sort_values([*ORDER, "key"], ignore_index=True)


def compare(candidates: pd.DataFrame, settings: Serving) -> pd.DataFrame:
    """Scores of every candidate, the chosen forms marked, best median first within a comparison."""
    table = scores(candidates)
    table["chosen"] = table["form"].isin(chosen_forms(settings)).map({True: "yes", False: "no"})
    order = ["rows", "left_out", "quantity", "median_abs_ln_error", "form"]
    return table.sort_values(order, ignore_index=True)[list(COMPARISON.columns)]
