"""The package that others install: estimates in tables made of predictions, and the tools of the project.

    perquery/__init__.py    estimate(), on the standard library alone (pipeline/factors/perquery)
    perquery/data.json      ln Wh of a query on a grid of lengths, by model and precision, as `predict` has it
    perquery/project/       predict and logs, with the fitted model: for the extra `model`

A model is served by the first of factors.package.accelerators that holds it, at requests in flight of which
the answer speaks. Between the points of the grid, energy goes with the tokens that it is proportional to (by
non-negative least squares over the grid), times what interpolates between the points. A prediction widens at
once where a load leaves what was measured: so the grid is of loads that count as measured, `beyond` has the
step on a coarser one, and the package finds by the measured loads themselves on which side a query lies.
"""

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from scipy.special import ndtri

from pipeline.core.draws import generator
from pipeline.core.errors import InputError
from pipeline.core.files import write_text
from pipeline.core.parse import Citation
from pipeline.core.processes import temporary_folder
from pipeline.core.units import Array
from pipeline.deployment.model.answer import at_sites
from pipeline.deployment.model.contract import OK, QUANTILES, SITE
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import check_rows
from pipeline.factors.model.settings import Factors, Package
from pipeline.factors.perquery import Table, features, in_flight
from pipeline.ingest.names import Names
from pipeline.serving.model.settings import BASES
from pipeline.serving.model.support import LOAD

SOURCE = Path("pipeline/factors/perquery")
SHARED = [Path("pipeline/ingest", f"{name}.py") for name in ("names", "words")]
# Modules of the project, by what they are in the package.
INSTALLED = {"pipeline.factors.": "", "pipeline.ingest.": "perquery."}
AXES = {
    "context": [4.0, 40.0, 320.0, 768.0, 2048.0, 6144.0, 16_384.0, 49_152.0, 131_072.0],
    "output": [1.0, 8.0, 64.0, 512.0, 4096.0, 32_768.0],
    "cached_share": [0.0, 0.8, 0.96, 1.0],
}
# Where the step beyond what was measured is found.
BEYOND_AXES = {"context": AXES["context"][::4], "output": AXES["output"][1::3], "cached_share": [0.8]}
STEP = 0.001  # of ln Wh
POINTS = 16  # that stand for a distribution
SHORTEST = 16.0  # tokens of context at which the error is found
ANSWERS, FRESH = (0.002, 0.6), (0.01, 1.0)  # shares of the context, of the input, at which it is found
PRECISIONS = ("bf16", "fp8", "fp4")
WH = [f"node_wh_per_query_{name}" for name in QUANTILES]
OLDEST_ZIP = "315532800"  # 1980: no time of the machine is kept
EVERYTHING, FEW_DRAWS = 1e9, 4  # so far counts as near; for what does not depend on draws
ANY_LENGTH = 1e8  # tokens: the grid goes beyond the context of some models, the package does not
TOOLS = ("pipeline", "data/published", "data/results/serving_model")
TOOL_FILES = (
    "params.yaml", "paper/references.bib", "data/telemetry/engines.csv", "data/telemetry/sources.csv",
    "data/results/length_fits.csv", "data/results/node_power_fits.csv", "data/results/token_weights.csv",
    "LICENSE", "LICENSE-data",
)  # fmt: skip
SAID_OF_SERVICES = ["provider", "model_class", "judged_on", "reason"]
NOT_TOOLS = ("present", "stages", "__pycache__")
EXTRA = (
    "numpy", "pandas", "scipy", "pydantic", "ruamel-yaml", "pyyaml", "pyarrow", "pandera", "python-calamine",
    "ibis-framework", "duckdb",
)  # fmt: skip


def grid(axes: Mapping[str, Sequence[float]] = AXES) -> pd.DataFrame:
    """Lengths at the points, the share that is cached running fastest."""
    points = pd.DataFrame(itertools.product(*axes.values()), columns=list(axes))
    return pd.DataFrame(
        {
            "input_tokens": points["context"],
            "cached_input_tokens": points["context"] * points["cached_share"],
            "output_tokens": points["output"],
        }
    )


def deployments(tool: Predictor, models: Sequence[str], package: Package) -> pd.DataFrame:
    """model, precision and gpu of what holds a query of any length, the published precision first."""
    every = list(itertools.product(models, (None, *PRECISIONS), package.accelerators))
    rows = pd.DataFrame(
        [{"model": model, "precision": word, "gpu": gpu} for model, word, gpu in every], dtype=object
    ).assign(concurrency=1.0, output_tokens=1.0)
    longest = rows["model"].map(tool.known.models["max_context_tokens"])
    rows["input_tokens"] = np.minimum(longest, AXES["context"][-1]) - 1
    checked = check_rows(rows, tool.known)
    status, _ = tool.judged(checked)
    taken = rows[["model"]].assign(precision=checked.rows["precision"], gpu=rows["gpu"])[status == OK]
    return taken.drop_duplicates(["model", "precision"]).reset_index(drop=True)


def predicted(tool: Predictor, served: pd.DataFrame, loads: pd.DataFrame, package: Package) -> pd.DataFrame:
    """WH, basis and status of each deployment at each load, deployment by deployment."""
    rows = served.merge(loads, how="cross").assign(concurrency=package.requests)
    return tool.predict(rows.assign(max_context_tokens=ANY_LENGTH))


def changed(tool: Predictor, nearer: float = 1.0, draws: int | None = None) -> Predictor:
    """The same, for which `nearer` times as far is still near what was measured."""
    settings = tool.world.settings
    near = {name: value * nearer for name, value in settings.nearness.values.items()}
    new = {
        "nearness": settings.nearness.model_copy(update={"values": near}),
        "draws": draws or settings.draws,
    }
    return replace(tool, world=replace(tool.world, settings=settings.model_copy(update=new)))


def tables(tool: Predictor, served: pd.DataFrame, package: Package) -> dict[str, dict[str, Any]]:
    """By model and precision, what pipeline/factors/perquery unpacks."""
    loads, coarse = grid(), grid(BEYOND_AXES)
    whole = predicted(changed(tool, EVERYTHING), served, loads, package)
    as_it_is = predicted(changed(tool, draws=FEW_DRAWS), served, loads, package)
    near, far = (predicted(changed(tool, by), served, coarse, package) for by in (EVERYTHING, 1 / EVERYTHING))
    step = _packed(np.log(far[WH].to_numpy(float) / near[WH].to_numpy(float)), BEYOND_AXES, len(served))
    windows = tool.known.models["window_tokens"].fillna(0.0).to_dict()
    found: dict[str, dict[str, Any]] = {}
    for at, one in enumerate(served.itertuples(index=False)):
        part = slice(at * len(loads), (at + 1) * len(loads))
        wh = whole[WH].to_numpy(float)[part]
        running = as_it_is["requests_running"].to_numpy(float)[part]
        room = _room(loads, running, package.requests, float(windows.get(one.model, 0.0)))
        cost = _costs(loads, room, package.requests)
        held = np.isfinite(wh).all(axis=1)
        relative = cost[held] / wh[held, 1:2]
        size = relative.max(axis=0)
        each = nnls(relative / size, np.ones(held.sum()))[0] / size
        rest = np.full(wh.shape, np.nan)
        rest[held] = np.log(wh[held] / (cost[held] @ each)[:, None])
        bases = [BASES.index(name) if name in BASES else len(BASES) - 1 for name in as_it_is["basis"][part]]
        chip = tool.known.chips.find(str(one.gpu))
        found.setdefault(str(one.model), {})[str(one.precision)] = {
            "deployment": f"{one.gpu} in {one.precision}, {package.requests:g} requests in flight",
            "wh_per_token": [float(f"{value:.6g}") for value in each],
            "ln_wh": _packed(rest, AXES, 1)[0],
            "ln_beyond": step[at],
            "measured": chip.gpu if chip and (whole["basis"][part] != BASES[-1]).any() else "",
            "room": room,
            "basis": "".join(map(str, bases)),
        }
    return found


def _packed(ln: Array, axes: Mapping[str, Sequence[float]], count: int) -> list[str]:
    """Text for the values of each of some deployments, in steps of STEP."""
    filled = [_filled(one.reshape(*map(len, axes.values()), -1)) for one in np.split(ln, count)]
    return [base64.b64encode(np.rint(one / STEP).astype("<i2").tobytes()).decode("ascii") for one in filled]


def _room(loads: pd.DataFrame, running: Array, requests: float, window: float) -> list[float]:
    """Shares of the memory for caches that a request takes, as `in_flight` has them."""
    short = (running > 1) & (running < requests)
    if not short.any():
        return [0.0, 0.0, 0.0, 0.0]
    context = (loads["input_tokens"] + loads["output_tokens"] / 2).to_numpy(float)[short]
    parts = (
        np.column_stack([np.ones(short.sum()), context, np.minimum(context, window)]) * running[short, None]
    )
    size = np.maximum(parts.max(axis=0), 1e-300)
    shares = nnls(parts / size, np.ones(short.sum()))[0] / size
    return [*(float(f"{value:.6g}") for value in shares), window]


def _costs(loads: pd.DataFrame, room: list[float], requests: float) -> Array:
    """`features` of each load, (n, 6)."""
    rows = loads.to_numpy(float).tolist()
    return np.array([features(a, b, c, in_flight(a, c, room, requests)) for a, b, c in rows])


def measured_loads(support: pd.DataFrame, requests: float, units: Array) -> dict[str, dict[str, Any]]:
    """By accelerator ln of requests, input and output of its measured loads, in `units`; ordered by input."""
    found = {}
    for chip, rows in support.groupby("gpu"):
        measured = np.log(rows[list(LOAD)].to_numpy(float)) / units
        reached = measured[measured[:, 0] <= np.log(requests) / units[0] + 1]
        kept = np.unique(np.round(reached[:, [1, 2, 0]], 4), axis=0).T.tolist()
        found[str(chip)] = dict(zip(("input", "output", "requests"), kept, strict=True))
    return found


def _filled(ln: Array) -> Array:
    """What no memory holds, beyond the longest query, goes on as the longest that it does."""
    ln = ln.copy()
    for axis in (0, 1):
        moved = np.moveaxis(ln, axis, 0)
        for at in range(1, len(moved)):
            moved[at] = np.where(np.isnan(moved[at]), moved[at - 1], moved[at])
    return ln


def site_values(tool: Predictor) -> dict[str, Any]:
    """Of each scenario what a Wh of the servers takes, POINTS equally likely values; the headline first."""
    names = list(tool.known.scenarios)
    rows = pd.DataFrame({"site_scenario": names} | dict.fromkeys(SITE, np.nan))
    drawn = at_sites(rows, tool.world, np.ones((len(names), tool.world.settings.draws)))
    columns = {
        "wh": "facility_wh_per_query", "onsite_ml": "onsite_ml_per_query",
        "total_ml": "total_ml_per_query", "gco2e": "carbon_g_per_query",
    }  # fmt: skip
    found: dict[str, Any] = {}
    for at, name in enumerate(names):
        found[name] = {"title": tool.world.sites.settings.scenarios[name].title}
        for key, column in columns.items():
            band = np.quantile(drawn[column][at], (np.arange(POINTS) + 0.5) / POINTS)
            found[name][key] = [float(f"{x:.5g}") for x in band] if np.isfinite(band).all() else None
    return found


def errors(
    tool: Predictor, served: pd.DataFrame, package: Package, bands: Sequence[float], data: dict[str, Any]
) -> dict[str, list[float]]:
    """By most tokens of context, by how much P5, P50 and P95 differ from `predict` at most, as shares."""
    rng = generator(tool.world.seed, "package, lengths checked")
    some = served.iloc[:: max(1, len(served) // package.checked)]
    found = {}
    for low, high in itertools.pairwise([SHORTEST, *bands]):
        context = _between(rng, (low, high), package.checked)
        answer = np.maximum(1.0, np.rint(context * _between(rng, ANSWERS, len(context))))
        prompt = np.maximum(1.0, np.rint(context - answer))
        fresh = _between(rng, FRESH, len(context))
        cached = np.floor(prompt * np.where(rng.uniform(size=len(context)) < 0.4, 0.0, 1.0 - fresh))
        lengths = {"input_tokens": prompt, "cached_input_tokens": cached, "output_tokens": answer}
        theirs = predicted(tool, some, pd.DataFrame(lengths), package)
        asked = [(*one, *row) for one in some[["model", "precision"]].to_numpy()
                 for row in zip(*lengths.values(), strict=True)]  # fmt: skip
        ours = [Table(data, data["models"][model][word]).at(*row)[0] for model, word, *row in asked]
        good = (theirs["status"] == OK).to_numpy()
        off = np.abs(np.array(ours) / theirs[WH].to_numpy(float) - 1)[good].max(axis=0)
        found[f"{high:g}"] = (np.ceil(off * 1000) / 1000).tolist()
    return found


def _between(rng: np.random.Generator, ends: tuple[float, float], count: int) -> Array:
    """Evenly in ln."""
    return np.exp(rng.uniform(np.log(ends[0]), np.log(ends[1]), count))


def package_data(
    tool: Predictor,
    factors: Factors,
    classes: Mapping[str, Sequence[str]],
    services: pd.DataFrame,
    version: str,
    of: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The content of data.json; classes: names of models by class; services: CLOSED_SERVICES; of: models."""
    package, bands = factors.package, [band.high for band in factors.contexts]
    names, models = tool.known.names, tool.known.models
    served = deployments(tool, tool.known.shapes if of is None else of, package)
    near = tool.world.settings.nearness.values
    units = np.array([near["batch"], near["lengths"], near["lengths"]])
    found = {
        "version": version,
        "bases": list(BASES),
        "axes": AXES,
        "beyond_axes": BEYOND_AXES,
        "step": STEP,
        "requests": package.requests,
        "units": units.tolist(),
        "measured": measured_loads(tool.world.model.support, package.requests, units),
        "normal": np.round(ndtri((np.arange(2 * POINTS) + 0.5) / (2 * POINTS)), 6).tolist(),
        "sites": site_values(tool),
        "models": tables(tool, served, package),
        "classes": {name: list(dict.fromkeys(map(names.resolve, of))) for name, of in classes.items()},
        "services": services.set_index("service")[SAID_OF_SERVICES].to_dict("index"),
    }
    longest = models["max_context_tokens"].to_dict()
    kept = [name for name in names.written if names.shape[name] in found["models"]]
    found["names"] = {name: {"shape": names.shape[name], "context": longest[name]} for name in kept}
    found["lookups"] = Names({name: names.written[name] for name in kept}, names.shape).lookups
    return found | {"error": errors(tool, served, package, bands, found)}


def write_wheel(data: dict[str, Any], package: Package, citation: Citation, target: Path) -> Path:
    """Lay out the package in a folder of its own and build it into `target`; the same bytes each time."""
    with temporary_folder() as folder:
        root = Path(folder, "perquery")
        root.mkdir()
        for path in [*sorted(SOURCE.glob("*.py")), *SHARED]:
            text = path.read_text(encoding="utf-8")
            for package_here, there in INSTALLED.items():
                text = text.replace(f"from {package_here}", f"from {there}")
            write_text(text, root / path.name)
        write_text(json.dumps(data, separators=(",", ":"), allow_nan=False), root / "data.json")
        write_text("", root / "py.typed")
        rows = "\n".join(
            " | ".join([f"| {int(float(most)):,}", *(f"{share:.3f}" for share in off), ""]).strip()
            for most, off in data["error"].items()
        )
        method = (SOURCE / "METHOD.md").read_text("utf-8").format(
            version=citation.version, errors=rows,
            accelerators=", ".join(package.accelerators), requests=package.requests,
        )  # fmt: skip
        write_text(method, root / "METHOD.md")
        _project(root / "project")
        pinned = dict(
            re.findall(r"^([a-z0-9-]+)==([^ ;]+)", Path("requirements.lock").read_text("utf-8"), re.M)
        )
        extra = json.dumps([f"{name}>={pinned[name]}" for name in EXTRA])
        write_text(
            (SOURCE / "pyproject.in").read_text("utf-8").format(version=citation.version, extra=extra),
            Path(folder, "pyproject.toml"),
        )
        for path in Path(folder).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
        command = [sys.executable, "-c", build, str(target.resolve())]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": OLDEST_ZIP}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise InputError(f"{target}: the wheel cannot be built: {done.stderr.strip().splitlines()[-1]}")
        return target / done.stdout.split()[-1]


def _project(target: Path) -> None:
    """What predict and logs need of the project."""
    for name in TOOLS:
        shutil.copytree(name, target / name, ignore=shutil.ignore_patterns(*NOT_TOOLS, ".gitignore"))
    for name in TOOL_FILES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, target / name)
