"""Where the re-estimate serves each model, and how many draws it takes.

In params.yaml a deployment has `instance: 8 H200 in fp8 for 800 requests` (or `for 16 to 128`, or `for just
64`), the parameters of its model stand in the table of models, and what several share, `concurrency` and
`fleet_gain`, is stated once beside them.
"""

import csv
import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.core.assumption import Assumption, Fraction, Ratio, Section, Text, expect, in_full
from pipeline.core.errors import InputError

MODELS = Path("data/published/models.csv")
INSTANCE = re.compile(r"(\d+) (.+) in (.+)")
REQUESTS = re.compile(r" for (?:(?P<just>just )|(?P<p5>\d+) to )?(?P<p95>\d+) requests$")
SHARED = ("concurrency", "fleet_gain")
ONE_OF_BLEND = "one of the blend"  # a service that runs one model of the published blend
MID, SMALL = "mid", "small"  # classes that a fleet may send queries to
Count = Annotated[int, Field(gt=0, strict=True)]
Billions = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Requests = Annotated[Assumption, AfterValidator(expect("requests", minimum=1))]


def _power_of_two(count: int) -> int:
    if count & (count - 1):
        raise ValueError(f"{count} is not a power of two, which Sobol points need")
    return count


PowerOfTwo = Annotated[Count, AfterValidator(_power_of_two)]


@cache
def _rows(table: Path) -> dict[str, dict[str, str]]:
    """Rows by every name of a model; raises InputError."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise InputError(f"{table}: no such file") from None
    return {
        name: row
        for row in reversed(rows)
        for name in (row["model"], *filter(None, row["aliases"].split(";")))
    }


def _sizes(table: Path) -> dict[str, dict[str, float]]:
    keys = ("total_params_b", "active_params_b")
    return {name: {key: float(row[key]) for key in keys} for name, row in _rows(table).items()}


def context_window(model: str) -> float:
    """Tokens that a model of the table of models holds at most; one that states none holds any."""
    row = _rows(MODELS).get(model)
    return float(row["max_context_tokens"] or "inf") if row else float("inf")


def instance_parts(text: str) -> dict[str, Any]:
    """`2 B200 in fp8, fp4` as its parts; raises ValueError."""
    found = INSTANCE.fullmatch(text)
    if not found:
        raise ValueError(
            f"instance {text!r}, expected how many, accelerator and precision, as in `2 B200 in fp8`"
        )
    return {"gpus": int(found[1]), "gpu": found[2], "precision": found[3]}


def served(data: Any) -> Any:
    """What `instance` says, as keys of their own."""
    if not (isinstance(data, dict) and isinstance(data.get("instance"), str)):
        return data
    others = {key: item for key, item in data.items() if key != "instance"}
    return others | instance_parts(data["instance"])


def with_requests(item: Any) -> Any:
    """A deployment whose instance says for how many requests, with the ends as keys of their own."""
    found = REQUESTS.search(item["instance"]) if isinstance(item.get("instance"), str) else None
    if not found:
        return item
    just = {"concurrency": float(found["p95"])}
    ends = {f"concurrency_{key}": float(found[key]) for key in ("p5", "p95") if found[key]}
    return (just if found["just"] else ends) | item | {"instance": item["instance"][: found.start()]}


def share(section: Any, places: Iterable[tuple[str, ...]]) -> Any:
    """A section whose deployments, at `places` in it, have what it states once for all of them (`SHARED`).

    A deployment states the ends of its own with its instance, and `fleet_gain: true` where it has one.
    """
    if not isinstance(section, dict):
        return section
    shared = {key: in_full(section[key]) for key in SHARED if key in section}
    filled = {key: item for key, item in section.items() if key not in SHARED}
    for place in places:
        filled = _filled(filled, place, shared)
    return filled


def _filled(data: Any, place: tuple[str, ...], shared: dict[str, Any]) -> Any:
    if not place and isinstance(data, list):
        return [_with_shared(item, shared) for item in data]
    if not place and isinstance(data, dict):
        return {key: _with_shared(item, shared) for key, item in data.items()}
    if not (place and isinstance(data, dict) and place[0] in data):
        return data
    return {**data, place[0]: _filled(data[place[0]], place[1:], shared)}


def _with_shared(item: Any, shared: dict[str, Any]) -> Any:
    if not isinstance(item, dict):
        return item
    item = with_requests(item)
    filled = {key: value for key, value in item.items() if key not in ("concurrency_p5", "concurrency_p95")}
    if isinstance(base := shared.get("concurrency"), dict) and not isinstance(item.get("concurrency"), dict):
        own = {key: item[f"concurrency_{key}"] for key in ("p5", "p95") if f"concurrency_{key}" in item}
        beside = base.get("distribution", {})
        known = {"family": "constant", "value": item["concurrency"]} if "concurrency" in item else None
        filled["concurrency"] = base | {"distribution": known or beside | own}
    if item.get("fleet_gain") is True and "fleet_gain" in shared:
        filled["fleet_gain"] = shared["fleet_gain"]
    return filled


class Deployment(Section):
    """One model on one instance: `gpus` accelerators that hold it and serve requests in one batch.

    `concurrency`: requests in flight for which the instance is configured, if its cache holds them.
    `fleet_gain`: times more requests served than by one instance alone, at the same power, where operators
    spread a model over many of them; absent: none.
    """

    model: Text  # as in the published analysis; its parameters are of the table of models, unless given
    total_params_b: Billions
    active_params_b: Billions
    gpu: Text
    gpus: Annotated[int, Field(gt=0, le=8, strict=True)]
    precision: Literal["fp4", "fp8", "bf16"]
    source: Text
    reason: Text
    concurrency: Requests
    fleet_gain: Ratio | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, data: Any) -> Any:
        data = served(data)
        if not isinstance(data, dict) or "total_params_b" in data or not isinstance(data.get("model"), str):
            return data
        sizes = _sizes(MODELS)
        if data["model"] not in sizes:
            near = get_close_matches(data["model"], sizes, n=3)
            raise ValueError(f"model {data['model']!r}, expected one of {MODELS}, such as {', '.join(near)}")
        return data | sizes[data["model"]]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.active_params_b > self.total_params_b:
            raise ValueError(f"active_params_b {self.active_params_b} exceeds total {self.total_params_b}")
        return self


class ModelClass(Section):
    """Models that are served alike; a service of the class runs one of them, each as likely as another.

    In params.yaml `models` are names: of a deployment, of a model on the instance of the class, or of one on
    an instance of its own, as in `Kimi K2 on 8 B200 in fp8`. What they share stands once for the class.
    """

    name: Text
    reason: Text
    models: Annotated[list[Deployment], Field(min_length=1)]


def _members(item: Any, deployed: Any) -> Any:
    """A class as it stands in params.yaml, with a deployment for each name."""
    if not (isinstance(item, dict) and isinstance(item.get("models"), str)):
        return item
    known = {one["model"]: one for one in deployed if isinstance(one, dict) and "model" in one}
    alike = {key: value for key, value in item.items() if key not in ("name", "models")}
    parts = [name.strip().partition(" on ") for name in item["models"].split(";")]
    _, said, requests = str(alike.get("instance", "")).partition(" for ")
    members = [
        alike | {"model": model, "instance": own + said + requests}
        if own
        else known.get(model, alike | {"model": model})
        for model, _, own in parts
    ]
    return {"name": item.get("name"), "reason": item.get("reason"), "models": members}


class Deployments(Section):
    """The subjects; models above `blend_above_params_b` make the published blend, in equal parts.

    `classes`: one place that says which models are served alike.
    `tensorrt_share`: probability that a service runs on TensorRT-LLM, else vLLM; the same for all its models.
    """

    models: Annotated[list[Deployment], Field(min_length=1)]
    classes: list[ModelClass] = Field(default_factory=list)
    blend_above_params_b: Billions
    tensorrt_share: Fraction

    @model_validator(mode="before")
    @classmethod
    def _share(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        classes = [_members(item, data.get("models", [])) for item in data.get("classes", [])]
        data = data | {"classes": {str(at): item for at, item in enumerate(classes)}}
        places = [("models",), *(("classes", str(at), "models") for at in range(len(classes)))]
        data = share(data, places)
        return data | {"classes": list(data["classes"].values())}

    @model_validator(mode="after")
    def _usable(self) -> Self:
        names = [item.model for item in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"models: a name stands twice in {names}")
        if not self.blend:
            raise ValueError(f"no model above {self.blend_above_params_b} B parameters for the blend")
        return self

    @property
    def blend(self) -> list[str]:
        """The models of the blend."""
        return [item.model for item in self.models if item.total_params_b > self.blend_above_params_b]

    @property
    def services(self) -> dict[str, list[Deployment]]:
        """By class, what a service may run: of each class, and of the published blend one of its models."""
        of_blend = [item for item in self.models if item.model in self.blend]
        return {one.name: one.models for one in self.classes} | {ONE_OF_BLEND: of_blend}


class Propagation(Section):
    """Nested draws: replicates x outer epistemic samples x inner queries.

    Replicates are independent; their spread is the Monte Carlo error.
    """

    replicates: Annotated[int, Field(ge=4, le=1024, strict=True)]
    outer: PowerOfTwo
    inner: PowerOfTwo
    variance_points: PowerOfTwo
