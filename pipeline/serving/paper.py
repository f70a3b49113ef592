"""Numbers of the serving model that the text may use, by one flat key each.

`selection.laboratory.output_tokens_per_s.step-model.mean_median_abs_ln_error`,
`calibration.3.median_abs_ln_error`, `basis.output_tokens_per_s.pooled.coverage_90`,
`component.laboratory.ratio_90`, `laboratory.nvidia.step_factor`, `outside.factor`, `outside.factor_told`.
"""

import pandas as pd

from pipeline.report.formats import Number, by_keys, numbers
from pipeline.serving.model.laboratories import TOLD, known_to


@numbers("serving")
def of_serving(
    model_selection: pd.DataFrame,
    calibration_curve: pd.DataFrame,
    basis_errors: pd.DataFrame,
    variance_components: pd.DataFrame,
    serving_laboratories: pd.DataFrame,
) -> dict[str, Number]:
    """All keys and values; `outside`: how far either way a service's throughput may lie, before and after."""
    found = by_keys(
        ("selection", model_selection, ["left_out", "quantity", "form"]),
        ("calibration", calibration_curve.astype({"own_rows": str}), ["own_rows"]),
        ("basis", basis_errors, ["quantity", "basis"]),
        ("component", variance_components, ["component"]),
        ("laboratory", serving_laboratories, ["laboratory"]),
    )
    factor, told = known_to(model_selection, calibration_curve)
    return found | {"outside.factor": factor, "outside.factor_told": told, "outside.told": TOLD}
