"""Numbers that move a result stand in params.yaml or a transcribed table; model files hold none.

Free are 0, 1, 2 and a half; indices; the levels of percentiles; powers of a thousand, which turn one prefix
of a unit into another; digits of rounding; what contracts and settings let in. All others are named below,
each with the reason why no what-if would change it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

FREE = {0, 1, 2, 0.5}
LEVELS = {5, 25, 50, 75, 95, 100, 0.05, 0.25, 0.75, 0.9, 0.95}
PREFIXES = {1e-3, 1e3, 1e6, 1e9, 1e12}
BOUNDS = ("contract.py", "settings.py")  # what is let in, not what comes out
# Points and sizes of an approximation, which a test holds to what it approximates.
APPROXIMATIONS = {"deployment/model/surface.py"}
ROUNDING = {"round", "around"}
GRID, SEARCH, DRAWS = "points between which is interpolated", "of a numerical search", "how many draws"
GUARD, SPELLING = "keeps a logarithm or a quotient finite", "how text is read or shown"
COUNT, BITS = "how many parts a thing has", "bits of a byte, or of a format"
# File, and the constant or function that holds the number: why it is no assumption.
ALLOWED = {
    "deployment/model/page.py": {"DRAWS": DRAWS},
    "deployment/model/faults.py": {"SHOWN": SPELLING, "shown": SPELLING},
    "deployment/model/rows.py": {"NEAR": SPELLING, "OTHER_SIZE": "from which an input is refused"},
    "energy/model/cost_curves.py": {"CONCURRENCIES": GRID},
    "energy/model/load.py": {"LEAST_LOAD": GUARD},
    "energy/model/samples.py": {"MIDDLE_QUERIES": DRAWS},
    "energy/model/sensitivity.py": {"indices": DRAWS},
    "factors/model/release.py": {"json_schema": COUNT},
    "fleet/model/routing.py": {"SHARES": GRID},
    "lengths/model/families.py": {
        "LEAST_LN_SIGMA": SEARCH, "LN_GRID": GRID, "_split": COUNT, "FAMILIES": COUNT, "starts": SEARCH,
    },
    "lengths/model/fit.py": {"MIDPOINTS": GRID, "LEAST_PROBABILITY": GUARD, "fit": SEARCH},
    "lengths/model/scenario.py": {"(OUTER, INNER)": DRAWS, "of_scores": "of the formula of the copula"},
    "levers/model/hardware.py": {"holds": BITS},
    "levers/model/together.py": {"GRID": GRID},
    "published/model/compared.py": {
        "CLAIMED_FACTOR": "in the name of a column, and in claims.csv", "our_rows": "the year of ours",
    },
    "published/model/draws.py": {"WH_EDGES": GRID, "TOKEN_EDGES": GRID},
    "published/model/energy.py": {"FEWEST_TOKENS": GUARD, "PREDICTION_ALPHA": "level of an interval"},
    "servers/model/power.py": {
        "SERVER_GPUS": COUNT, "SHARES": GRID, "SAMPLES": DRAWS, "NLR_GPUS": COUNT,
        "(FEW, MANY)": "as the source groups its runs",
    },
    "serving/model/comparison.py": {
        "FEWEST_CELLS": COUNT, "QUADRATIC_RIDGE": SEARCH, "_predict_cell": SEARCH,
    },
    "serving/model/architecture.py": {
        "LATENT_HEAD_DIM": "a shape, as STATE_ELEMENTS is", "STATE_ELEMENTS": COUNT, "Architecture": GUARD,
    },
    "serving/model/calibration.py": {"ROUNDS": SEARCH},
    "serving/model/costs.py": {"_growing_share": GRID, "POINTS": GRID},
    "serving/model/deployments.py": {"Deployment": SPELLING},
    "serving/model/fitting.py": {
        "NAMES_KEPT": "how many results are kept for later calls", "MAX_ITERATIONS": SEARCH,
        "SMALL_GAIN": SEARCH, "MAX_DAMPINGS": SEARCH, "fit": SEARCH,
        "with_observations": GUARD,
    },
    "deployment/model/measured.py": {
        "MOST_OFF": "what a table is refused for", "MOST_OF_RATED": "likewise",
    },
    "serving/model/held_out.py": {
        "FOLDS": "how rows are left out", "AIM": "what intervals are held to", "ENOUGH_ROWS": "likewise",
        "OWN_ROWS": COUNT, "CONFIGURATIONS": COUNT, "TESTED": COUNT,
        "with_errors": "of the interval score at 90 %",
    },
    "serving/model/laboratories.py": {
        "Z90": "of a normal distribution", "TOLD": COUNT,
    },
    "serving/model/predictive.py": {"draw": SEARCH, "_empty": COUNT},
    "serving/model/prepare.py": {
        "GIB": BITS, "SLOPE_STEP": GRID, "USUAL_BITS": "tells formats apart",
        "QUARTERS": COUNT, "find_chip": BITS, "prepare": BITS,
        "years": "of the calendar", "_with_prompt_slopes": "of a normal distribution",
    },
    "serving/model/terms.py": {
        "cache_bytes_per_gpu": BITS, "weight_bytes": BITS, "terms": "units of overheads, bits of a byte",
    },
    "validation/model/fleets.py": {"STAND_INS": "which configurations stand in for a fleet"},
    "validation/model/mlperf.py": {"LAYOUTS": SEARCH, "SATURATED": "more than any memory holds"},
    "validation/model/peers.py": {"BITS": BITS, "published_rows": COUNT},
    "water/model/published.py": {"YEARS": "of what a claim can rest on"},
}  # fmt: skip


def numbers(path: Path) -> Iterator[tuple[str, float]]:
    """Every number of a file that is not free, with the top-level name that it stands in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for top in tree.body:
        targets = [top.target] if isinstance(top, ast.AnnAssign) else getattr(top, "targets", [])
        name = getattr(top, "name", None) or ", ".join(ast.unparse(target) for target in targets)
        yield from ((name, value) for value in _within(top))


def _within(node: ast.AST) -> Iterator[float]:
    if isinstance(node, ast.Subscript):
        yield from _within(node.value)
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ROUNDING:
        for argument in node.args[:1]:
            yield from _within(argument)
        return
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, int | float) and value not in FREE | LEVELS | PREFIXES:
            yield value
        return
    for child in ast.iter_child_nodes(node):
        yield from _within(child)


def found() -> dict[tuple[str, str], list[float]]:
    every: dict[tuple[str, str], list[float]] = {}
    for path in sorted(Path("pipeline").glob("*/model/*.py")):
        file = path.relative_to("pipeline").as_posix()
        if path.name not in BOUNDS and file not in APPROXIMATIONS:
            for name, value in numbers(path):
                every.setdefault((file, name), []).append(value)
    return every


FOUND = found()


def test_no_model_file_holds_a_number_that_moves_a_result() -> None:
    assert {at: values for at, values in FOUND.items() if at[1] not in ALLOWED.get(at[0], {})} == {}


def test_every_exception_is_needed() -> None:
    assert {(file, name) for file, names in ALLOWED.items() for name in names} - set(FOUND) == set()
