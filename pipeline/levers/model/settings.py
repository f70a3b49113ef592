"""The levers, each declared once, and what they are computed with where no measurement of ours says it.

`LEVERS` is the one list: the order in which levers are applied, their groups, words, grades, rows and the
names of their draws follow from it. A lever changes `Options`; params.yaml has its settings under its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import AfterValidator, Field, create_model, model_validator

from pipeline.core.assumption import (
    ONE_LINE,
    Assumption,
    Fraction,
    Names,
    Ratio,
    Section,
    Text,
    Tokens,
    expect,
)
from pipeline.core.units import Array
from pipeline.serving.model.deployments import Deployment, share

Steps = Annotated[Assumption, AfterValidator(expect("steps/task", minimum=1))]
Count = Annotated[Assumption, AfterValidator(expect("tokens", minimum=1))]
AtLeastOne = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1))]
Requests = Annotated[float, Field(ge=1, le=1e6)]
Gpus = Annotated[int, Field(gt=0, le=8)]


@dataclass(frozen=True)
class Drafts:
    """Speculative decoding: tokens drafted and yielded a step, and the draft's time over a step without."""

    drafted: Array
    yielded: Array
    cost: Array


@dataclass(frozen=True)
class Options:
    """How queries are served; the default is as drawn, without any lever.

    Attributes
    ----------
    requests : wanted in flight on an instance; None: as its deployment is configured.
    utilisation : at least that, servers beyond it doing other work; None: as drawn.
    cached_share : of the input tokens, read from a cache and not computed.
    output_share : of the output tokens, what is left.
    gpu_power, time : factors of the accelerators' power, and of the time of every step.
    disaggregated : prefill on servers apart from those of decode.
    drafts : of speculative decoding.
    pue : of the site; None: as drawn.
    small_share : of the queries, answered by small models; None: no router.
    moved, four_bit : on the next accelerators, and with weights in four bits there.

    Arrays are (samples,), or numbers that hold in every sample.
    """

    requests: float | None = None
    utilisation: Array | float | None = None
    cached_share: Array | float = 0.0
    output_share: Array | float = 1.0
    gpu_power: Array | float = 1.0
    time: Array | float = 1.0
    disaggregated: bool = False
    drafts: Drafts | None = None
    pue: Array | None = None
    small_share: Array | None = None
    moved: bool = False
    four_bit: bool = False


class Evidence(Section):
    """A part of the settings that rests on published rows.

    evidence: rows of data/published/{levers,routers}.csv, whose regimes and grades decide where and how far
    it counts as shown; none: a judgement. judged: so it is in spite of its rows.
    """

    evidence: Names
    judged: bool = False


class LeverSettings(Evidence):
    """What every lever has in params.yaml beside its own settings.

    requests: in flight on an instance, at which it is evaluated beside production.
    """

    requests: Annotated[list[Requests], ONE_LINE] = Field(default=[])


@dataclass(frozen=True)
class Lever:
    """One lever.

    Attributes
    ----------
    name : its key in params.yaml under `levers`.
    group : of LEVER_GROUPS.
    words : what it is called.
    apply : the options with it, from those without and its settings as drawn, (samples,), by name.
    settings : its own settings in params.yaml by name, with unit and range; a text names a site.
    needs : the lever without which it does nothing.
    modelled : it rests on the fitted model alone, so params.yaml has no entry of it.
    together : it is one of all levers together.
    compared : what is compared with what where it is applied alone; blank: no row of LEVER_SYSTEMS.
    source : keys of paper/references.bib; blank: the source of its first setting.
    note : what else matters where it is applied alone.
    """

    name: str
    group: str
    words: str
    apply: Callable[[Options, Mapping[str, Array]], Options]
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: str | None = None
    modelled: bool = False
    together: bool = True
    compared: str = ""
    source: str = ""
    note: str | None = None


def _capped(options: Options, at: Mapping[str, Array]) -> Options:
    """Accelerator energy divided by the gain, time multiplied by the slowdown."""
    power = options.gpu_power / (at["energy_gain"] * at["slowdown"])
    return replace(options, gpu_power=power, time=options.time * at["slowdown"])


def _drafted(options: Options, at: Mapping[str, Array]) -> Options:
    """A step yields at most what was drafted, and one token more."""
    drafted = at["drafted_tokens"]
    yielded = np.clip(at["tokens_per_step"], 1.0, drafted + 1)
    return replace(options, drafts=Drafts(drafted, yielded, at["draft_cost"]))


LEVERS = (
    Lever(
        "routed", "routing", "Small models for the queries that a router lets them have",
        lambda options, at: replace(options, small_share=at["share"]),
        {"share": Fraction},
    ),
    Lever(
        "cached", "serving", "Prefix caching",
        lambda options, at: replace(options, cached_share=at["share"]),
        {"share": Fraction},
        compared="part of the input read from the cache against all of it computed",
        note="the share was measured in production, its energy is the model's",
    ),
    Lever(
        "adaptive", "serving", "Adaptive serving",
        lambda options, at: replace(options, utilisation=at["utilisation"]),
        {"utilisation": Fraction},
        compared="nodes taken away when not needed against those kept for the peak",
        note="from the load of the re-estimate to that of a service that adapts",
    ),
    Lever(
        "disaggregated", "serving", "Disaggregated serving",
        lambda options, at: replace(options, disaggregated=True),
        compared="prefill apart, decode at the batch that takes as long a step",
        source="distserve2024",
        note="follows from the fitted step time; no measured energy of it is published",
    ),
    Lever(
        "capped", "serving", "Power capping and clocks", _capped,
        {"energy_gain": Ratio, "slowdown": AtLeastOne},
        compared="accelerators at lower power or clock against rated",
        note="of the facility: the rest of the server draws on, for longer",
    ),
    Lever(
        "drafted", "serving", "Speculative decoding", _drafted,
        {"drafted_tokens": Count, "tokens_per_step": AtLeastOne, "draft_cost": Fraction},
        together=False,  # it gains at small batch, where production does not run
        compared="drafts of five tokens against none",
        source="eagle3_2025;dutta2026",
        note="a step that checks more tokens costs more where compute binds",
    ),
    Lever(
        "moved", "hardware", "Next accelerators ({chips})",
        lambda options, at: replace(options, moved=True),
        modelled=True,
    ),
    Lever(
        "four_bit", "hardware", "Weights in four bits there",
        lambda options, at: replace(options, four_bit=True),
        needs="moved", modelled=True,
    ),
    Lever(
        "best_site", "datacentre", "Best site",
        lambda options, at: replace(options, pue=at["site"]),
        {"site": Text},
    ),
)  # fmt: skip


class Agent(Evidence):
    """A web task of an agent: tokens of one step, and steps where no source gives them."""

    input_tokens: Tokens
    output_tokens: Tokens
    output_cv: Ratio
    like_step: Ratio  # energy of a step of an agent of its size over one of Fara-7B
    steps_large: Steps


class Outputs(Evidence):
    """Share of the output tokens that is left, by regime."""

    short: Fraction
    long: Fraction


class Scale(Evidence):
    """How many instances serve so many users."""

    spare_deviations: Ratio  # places kept beyond the mean of users, in standard deviations


class FewerBits(Section):
    """Instance on which wide and narrow weights are compared: 16 bits where H100 do not hold them, and 4."""

    gpu: Text
    eight_bit_gpus: Gpus
    four_bit_gpus: Gpus
    reason: Text


class Hardware(Section):
    """Accelerators compared; `models` are served on each, on the least of `instances` that holds them.

    weights_headroom: memory of an instance over its weights, at least. measured_batches: requests in flight
    at which measured energy is compared. long_output_tokens: of a vendor's row that stands for reasoning.
    """

    chips: Annotated[Names, Field(min_length=2)]  # the first is what the others are compared with
    models: Annotated[list[Deployment], Field(min_length=1)]
    next: Annotated[Names, Field(min_length=1)]  # what a service moves to, in equal parts
    instances: Annotated[list[Gpus], ONE_LINE, Field(min_length=1)]
    fewer_bits: FewerBits
    measured_batches: Annotated[list[Requests], ONE_LINE, Field(min_length=1)]
    long_output_tokens: Annotated[float, Field(gt=0, le=1e8)]
    weights_headroom: AtLeastOne
    unmeasured_software: Ratio  # energy on a chip whose software no fit has seen, over the model's

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [chip for chip in self.next if chip not in self.chips]
        if unknown:
            raise ValueError(f"next: {unknown[0]!r} is none of chips {self.chips}")
        return self


class Systems(Section):
    """All about levers but the settings of each. Small models and sites are those of fleet."""

    models: Annotated[list[Deployment], Field(min_length=1)]
    agent: Agent
    outputs: Outputs
    scale: Scale
    hardware: Hardware
    small_batch: Requests
    power_of_throughput: Fraction

    @model_validator(mode="before")
    @classmethod
    def _share(cls, data: Any) -> Any:
        return share(data, [("models",), ("hardware", "models")])


def _settings_of(lever: Lever) -> type[LeverSettings]:
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in lever.settings.items()}
    return create_model(lever.name, __base__=LeverSettings, **fields)


if TYPE_CHECKING:
    Levers = Systems
else:
    Levers = create_model(
        "Levers",
        __base__=Systems,
        **{lever.name: (_settings_of(lever), ...) for lever in LEVERS if not lever.modelled},
    )


SETTINGS = Levers
