"""Energy, water and carbon of one query to a language model, and how sure that is.

    >>> import perquery
    >>> found = perquery.estimate(model="Llama 3.1 70B", input_tokens=600, output_tokens=250)
    >>> found.wh.p5 < found.wh.p50 < found.wh.p95
    True

A model of the table is taken as served by the deployment that `found.deployment` names; a service whose model
is not published as any model of the class that it is judged to be. `METHOD.md` beside this file says how the
numbers came about and how near they are to `perquery predict`, which takes any deployment.
"""

import json
import math
import re
from array import array
from binascii import a2b_base64
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from pipeline.factors.perquery.usage import number, tokens_of
from pipeline.ingest.names import Names

__all__ = ["Band", "Estimate", "classes", "estimate", "models", "services", "sites"]
HERE = __file__.removesuffix("__init__.py")  # no Path: importing it takes as long as an estimate
PER_WH = ("wh", "onsite_ml", "total_ml", "gco2e")  # what a Wh of the servers takes at a site
POOLED, BEYOND = "pooled", "extrapolated"  # of what an estimate rests on
LONGEST_NAME = 200  # characters of a model's
Z95 = 1.645  # standard deviations from the median to P95
STATISTIC = "mean over queries of these lengths; P5, P50 and P95 over what is not known of the service"
BOUNDARY = "facility: accelerators, servers and cooling while they serve; no idle servers, network, training"
CLOUD = r"^(?:\w{2,6}\.)?anthropic\."  # before a service's name, and after it a version
DATED = (
    r"(?:-preview(?:-\d\d-\d\d(?:-\d{4})?)?|-(?:20\d\d-?[01]\d-?[0-3]\d|latest|\d{4}))?(?:-v\d+(?:-\d+)?)?$"
)


class Band(NamedTuple):
    """5th percentile, median and 95th percentile over what is not known."""

    p5: float
    p50: float
    p95: float


class Estimate(NamedTuple):
    """What a query takes, Wh, mL and g CO2e; None: not published for the site."""

    model: str
    input_tokens: float
    cached_input_tokens: float
    output_tokens: float
    wh: Band
    onsite_ml: Band | None
    total_ml: Band | None
    gco2e: Band | None
    site: str
    deployment: str
    statistic: str
    boundary: str
    evidence: str
    tier: str
    reason: str
    error: Band
    version: str
    method: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: value._asdict() if isinstance(value, Band) else value
            for name, value in self._asdict().items()
        }

    def spdx(self) -> dict[str, Any]:
        """Energy as an object of SPDX 3.0.1, AI profile: the median, in kWh."""
        kwh = {"type": "ai_EnergyConsumptionDescription", "ai_energyQuantity": f"{self.wh.p50 / 1000:.3g}"}
        return {
            "type": "ai_EnergyConsumption",
            "ai_inferenceEnergyConsumption": [kwh | {"ai_energyUnit": "kilowattHour"}],
        }

    def impact_framework(self) -> dict[str, Any]:
        """Inputs of one query for a manifest of the Impact Framework: medians, without embodied carbon."""
        found: dict[str, Any] = {"energy": self.wh.p50 / 1000}
        return found | ({"carbon-operational": self.gco2e.p50} if self.gco2e else {})


@cache
def _data() -> dict[str, Any]:
    with open(f"{HERE}data.json", encoding="utf-8") as file:  # noqa: PTH123
        found: dict[str, Any] = json.load(file)
    return found


@cache
def _method() -> str:
    """Address of METHOD.md, beside this file."""
    path = f"{HERE}METHOD.md".replace("\\", "/")
    kept = re.sub(
        r"[^\w/.~:-]", lambda sign: "".join(f"%{of:02X}" for of in sign[0].encode()), path, flags=re.A
    )
    return f"file://{kept}" if kept.startswith("/") else f"file:///{kept}"


@cache
def _names() -> Names:
    shape = {name: one["shape"] for name, one in _data()["names"].items()}
    return Names.again(shape, _data()["lookups"])


def models() -> list[str]:
    """Every model that has estimates of its own."""
    return list(_data()["names"])


def _plain(name: str) -> str:
    """As names are compared: in small letters, one sign between parts."""
    return re.sub(r"[\s._:@-]+", "-", name.strip().lower())


@cache
def _services() -> dict[str, dict[str, str]]:
    return {_plain(name): one for name, one in _data()["services"].items()}


@cache
def _classes() -> dict[str, str]:
    return {_plain(name): name for name in _data()["classes"]}


def services() -> dict[str, dict[str, str]]:
    """Closed services: the class that each is judged to be, when, and why."""
    return dict(_data()["services"])


def classes() -> list[str]:
    """Classes of models, each of which stands for any of its models."""
    return list(_data()["classes"])


def sites() -> dict[str, str]:
    """Scenarios of sites, the first taken where none is named."""
    return {name: one["title"] for name, one in _data()["sites"].items()}


def estimate(
    model: str,
    input_tokens: float | None = None,
    output_tokens: float | None = None,
    cached_input_tokens: float = 0.0,
    *,
    usage: Any = None,
    site: str | None = None,
    precision: str | None = None,
) -> Estimate:
    """What one query takes.

    input_tokens includes cached_input_tokens; usage: what an API returned beside its answer, in place of the
    three. Raises ValueError, which says what was expected, and the nearest names of what is not known.
    """
    if not isinstance(model, str) or len(model) > LONGEST_NAME:
        raise ValueError(f"model {str(model)[:60]!r}, expected a name")
    if usage is not None:
        input_tokens, cached_input_tokens, output_tokens = tokens_of(usage)
    if input_tokens is None or output_tokens is None:
        raise ValueError("expected input_tokens and output_tokens, or usage")
    lengths = tuple(map(number, (input_tokens, cached_input_tokens, output_tokens)))
    if lengths[0] < 1 or not 0 <= lengths[1] <= lengths[0]:
        raise ValueError(
            f"{lengths[0]:g} input tokens, {lengths[1]:g} cached, expected at least 1, at most all cached"
        )
    data = _data()
    tokens, most = lengths[0] + lengths[2], _longest(model)
    if tokens > most:
        raise ValueError(f"{tokens:,.0f} tokens of input and output, expected at most {most:,.0f} of {model}")
    site = site or next(iter(data["sites"]))
    if site not in data["sites"]:
        raise ValueError(f"site {str(site)[:60]!r}, expected one of {', '.join(data['sites'])}")
    name, tier, reason, members = _members(model, precision)
    found = [_table(*member).at(*lengths) for member in members]
    centre, spread = _pooled([band for band, _ in found])
    at = data["sites"][site]
    alone = _table(*members[0]).deployment
    values: dict[str, Any] = {key: _times(centre, spread, at[key]) if at[key] else None for key in PER_WH}
    return Estimate(
        model=name,
        input_tokens=lengths[0],
        cached_input_tokens=lengths[1],
        output_tokens=lengths[2],
        **values,
        site=site,
        deployment=alone if len(members) == 1 else f"any of {len(members)} models of the class",
        statistic=STATISTIC,
        boundary=BOUNDARY,
        evidence=max((basis for _, basis in found), key=data["bases"].index),
        tier=tier,
        reason=reason,
        error=_error(tokens),
        version=data["version"],
        method=_method(),
    )


def _longest(model: str) -> float:
    """Tokens of context: those of the model, at most those of the tables."""
    most: float = _data()["axes"]["context"][-1]
    name = _names().find(model)
    return min(most, _data()["names"][name]["context"]) if name else most


def _members(model: str, precision: str | None) -> tuple[str, str, str, list[tuple[str, str]]]:
    """Name, tier, reason and the tables, by model and precision, that an estimate is of."""
    data = _data()
    if name := _names().find(model):
        tables = data["models"][_names().shape[name]]
        word = precision
        if precision:
            from pipeline.ingest.words import precision as meaning

            word = meant.name if (meant := meaning(str(precision))) else precision
        if word and word not in tables:
            word = str(precision)[:60]
            raise ValueError(f"precision {word!r} of {name}, expected one of {', '.join(tables)}")
        return (
            name,
            "modelled",
            "served as `deployment` says",
            [(_names().shape[name], word or next(iter(tables)))],
        )
    key = re.sub(DATED, "", _plain(re.sub(CLOUD, "", model.strip().lower().split("/")[-1])), count=1)
    service, of_class = _services().get(key) or _services().get(_plain(model)), _classes().get(_plain(model))
    if service is None and of_class is None:
        from pipeline.ingest.words import nearest_words

        known = [*data["services"], *data["classes"]]
        near = [*_names().nearest(model), *nearest_words(key, known)][:4]
        raise ValueError(
            f"model {model[:60]!r}, expected a model, service or class"
            + (f" (nearest: {', '.join(near)})" if near else "")
        )
    of = service["model_class"] if service else of_class
    reason = f"{service['judged_on']}: {service['reason']}" if service else f"any model of the class {of}"
    members = [(one, next(iter(data["models"][one]))) for one in data["classes"][of]]
    return str(model), "judged" if service else "class", reason, members


class Table:
    """Wh at the servers of one model in one precision: what its tokens cost, times a table over lengths.

    Beyond the loads that were measured there is less to go by: another, coarser table says how much.
    """

    def __init__(self, data: dict[str, Any], one: dict[str, Any]) -> None:
        self.near = Grid(data["axes"], one["ln_wh"], data["step"])
        self.step = Grid(data["beyond_axes"], one["ln_beyond"], data["step"])
        self.cost: list[float] = one["wh_per_token"]
        self.deployment: str = one["deployment"]
        self.bases = [data["bases"][int(number)] for number in one["basis"]]
        self.chip: str = one["measured"]
        self.room: list[float] = one["room"]
        self.requests: float = data["requests"]
        self.units: list[float] = data["units"]
        self.loads: dict[str, dict[str, list[float]]] = data["measured"]

    def at(self, prompt: float, cached: float, answer: float) -> tuple[Band, str]:
        """Wh at the servers, and what it rests on."""
        answer = max(answer, 1.0)
        found, nearest = self.near.at(prompt, cached, answer)
        rests_on = self.bases[nearest]
        near = self.measured_near(prompt, answer)
        if not (near and self.chip):
            found = [*map(float.__add__, found, self.step.at(prompt, cached, answer)[0])]
        if self.chip not in near:
            rests_on = BEYOND
        elif rests_on == BEYOND:
            rests_on = POOLED
        share = in_flight(prompt, answer, self.room, self.requests)
        ln = math.log(math.fsum(map(float.__mul__, self.cost, features(prompt, cached, answer, share))))
        return Band(*(math.exp(ln + value) for value in found)), rests_on

    def measured_near(self, prompt: float, answer: float) -> list[str]:
        """Accelerators with a measured load at most one of the units away, in ln, in every direction."""
        batch, lengths, _ = self.units
        running = 1 / in_flight(prompt, answer, self.room, self.requests)
        at = math.log(running) / batch, math.log(prompt) / lengths, math.log(answer) / lengths
        found = []
        for chip, loads in self.loads.items():
            inputs, outputs, requests = loads["input"], loads["output"], loads["requests"]
            if any(
                abs(outputs[i] - at[2]) <= 1 and abs(requests[i] - at[0]) <= 1
                for i in range(bisect_left(inputs, at[1] - 1), bisect_right(inputs, at[1] + 1))
            ):
                found.append(chip)
        return found


class Grid:
    """P5, P50 and P95 over tokens of input, of the answer, and the share of the input that is cached."""

    def __init__(self, axes: Mapping[str, list[float]], values: str, step: float) -> None:
        self.axes = [[math.log(value) for value in axes[name]] for name in ("context", "output")]
        self.axes.append(axes["cached_share"])
        self.values, self.step = array("h"), step
        self.values.frombytes(a2b_base64(values))

    def at(self, prompt: float, cached: float, answer: float) -> tuple[list[float], int]:
        """Values between the points, and the point that counts most."""
        found, nearest = [0.0, 0.0, 0.0], (-1.0, 0)
        first, second, third = (
            _between(axis, value)
            for axis, value in zip(
                self.axes, (math.log(prompt), math.log(answer), cached / prompt), strict=True
            )
        )
        for i, a in first:
            for j, b in second:
                for k, c in third:
                    place = ((i * len(self.axes[1])) + j) * len(self.axes[2]) + k
                    nearest = max(nearest, (a * b * c, place))
                    for q in range(3):
                        found[q] += a * b * c * self.values[3 * place + q] * self.step
        return found, nearest[1]


@cache
def _table(model: str, precision: str) -> Table:
    return Table(_data(), _data()["models"][model][precision])


def in_flight(prompt: float, answer: float, room: list[float], requests: float) -> float:
    """One over the requests that run at once: those in flight, or as many as memory holds.

    room: shares of the memory for caches that a request takes: fixed, a token, a token in the window of the
    layers that have one; and its length.
    """
    context = prompt + answer / 2
    return min(1.0, max(1 / requests, room[0] + room[1] * context + room[2] * min(context, room[3])))


def features(prompt: float, cached: float, answer: float, share: float) -> list[float]:
    """What a query costs by: tokens computed, read from a cache, written, those they attend to, its share."""
    fresh = prompt - cached
    attended = [fresh * (cached + fresh / 2), answer * (prompt + answer / 2)]
    return [fresh, cached, answer, *attended, answer * share]


def _between(axis: list[float], value: float) -> list[tuple[int, float]]:
    """The two places on either side and their weights; the end where it lies beyond."""
    above = bisect_right(axis, value)
    if above == 0 or above == len(axis):
        return [(min(above, len(axis) - 1), 1.0)]
    share = (value - axis[above - 1]) / (axis[above] - axis[above - 1])
    return [(above - 1, 1 - share), (above, share)]


def _pooled(bands: list[Band]) -> tuple[float, tuple[float, float]]:
    """ln of the median, and ln distances to P5 and P95, of a service that runs one of several models."""
    logs = [[math.log(value) for value in band] for band in bands]
    centre = math.fsum(one[1] for one in logs) / len(logs)
    between = math.fsum((one[1] - centre) ** 2 for one in logs) / len(logs) * Z95**2
    down, up = (math.fsum((one[side] - one[1]) ** 2 for one in logs) / len(logs) for side in (0, 2))
    return centre, (math.sqrt(down + between), math.sqrt(up + between))


def _times(centre: float, spread: tuple[float, float], by: list[float]) -> Band:
    """The product with a quantity of the site, independent of it, of which `by` are equally likely values."""
    normal: list[float] = _data()["normal"]
    down, up = spread
    energy = [math.exp(centre + z / Z95 * (down if z < 0 else up)) for z in normal]
    values = sorted(wh * one for wh in energy for one in by)
    return Band(*(_quantile(values, level) for level in (0.05, 0.5, 0.95)))


def _quantile(values: list[float], level: float) -> float:
    place = level * len(values) - 0.5
    low = int(place)
    return values[low] + (place - low) * (values[low + 1] - values[low])


def _error(context: float) -> Band:
    """By how much each differs from that of `perquery predict` at most, as found at this context; shares."""
    bands: dict[str, list[float]] = _data()["error"]
    return Band(
        *next((one for most, one in bands.items() if context <= float(most)), bands[max(bands, key=float)])
    )
