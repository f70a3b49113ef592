"""The fleet: what a what-if chooses (plain numbers), and what no choice settles (assumptions).

A scenario in params.yaml states only what it replaces of `base`; on load it becomes a complete one. So
`dvc exp run -S fleet.base.long_share=0.3` changes `base` and every scenario that leaves it alone.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.core.assumption import (
    ONE_LINE,
    Assumption,
    Names,
    Pue,
    Requests,
    Section,
    Text,
    expect,
    variant,
)
from pipeline.serving.model.deployments import Deployment, Propagation, served, share

Gain = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1))]
Share = Annotated[float, Field(ge=0, le=1)]
PerDay = Annotated[float, Field(ge=0, le=1e13)]
FewYears = Annotated[float, Field(ge=0, le=50)]
Growth = Annotated[float, Field(ge=0, le=100)]
AtLeastOne = Annotated[float, Field(ge=1, le=1000)]
SizeClass = Literal["small", "middle", "large"]
UNKNOWN_SITE = "unknown"  # its PUE is that of energy.pue
AS_WATER = "as water_site"  # its PUE is that of the same sites as its water


class FleetScenario(Section):
    """One day of one fleet: how many queries of which kind, who serves them where, and what changes.

    Shares that are left over are short queries, and large models. Queries of a day become queries_per_day *
    queries_growth ** years * (1 + rebound * (gain - 1)); energy of a query is divided by gain and multiplied
    by overhead.
    """

    title: Text
    lengths: Literal["published", "production"]
    queries_per_day: PerDay
    long_share: Share
    agentic_share: Share
    middle_share: Share
    small_share: Share
    site: Text
    water_site: Text  # a scenario of water: litres per kWh on site and in the electricity
    years: FewYears
    queries_growth: Growth  # ratio of one year to the year before
    gain: Gain
    rebound: Growth
    overhead: AtLeastOne
    published_claim: Text | None  # the claim that gives the published value of the same scenario
    source: Text
    reason: Text

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        for names in (("long_share", "agentic_share"), ("middle_share", "small_share")):
            if sum(getattr(self, name) for name in names) > 1 + 1e-9:
                raise ValueError(f"{' and '.join(names)} exceed 1 together")
        return self


class Instance(Section):
    """On what a closed model of a size class is taken to run."""

    gpu: Text
    gpus: Annotated[int, Field(gt=0, le=8, strict=True)]
    precision: Literal["fp4", "fp8", "bf16"]
    source: Text
    reason: Text
    concurrency: Requests

    _in_full = model_validator(mode="before")(served)


class Routing(Section):
    """What routing is computed with; `routers` are the least and the most that reads a prompt to route it."""

    routers: Annotated[list[Deployment], Field(min_length=2, max_length=2)]
    closed_large: Text
    closed_small: Text
    instances: Annotated[dict[SizeClass, Instance], Field(min_length=3)]
    open_precision: dict[str, Literal["fp4", "fp8", "bf16"]]
    gains: Annotated[list[Annotated[float, Field(gt=1)]], ONE_LINE, Field(min_length=1)]


class Sweep(Section):
    """Choices that the documented sweep combines, each with each."""

    long_share: Annotated[list[Share], ONE_LINE, Field(min_length=1)]
    agentic_share: Annotated[list[Share], ONE_LINE, Field(min_length=1)]
    small_share: Annotated[list[Share], ONE_LINE, Field(min_length=1)]


class Fleet(Section):
    """Everything about fleets. Models are those of the classes of the re-estimate, large ones the blend's."""

    base: FleetScenario
    scenarios: dict[str, FleetScenario]
    sites: dict[str, Pue]
    routing: Routing
    shares_of: Annotated[Names, Field(min_length=1, max_length=4)]  # a panel each
    sweep: Sweep
    propagation: Propagation

    @model_validator(mode="before")
    @classmethod
    def _lay_scenarios_over_base(cls, data: Any) -> Any:
        """Each scenario over the one that it is `like`, unless the base is wrong: that is reported once."""
        data = share(data, [("routing", "routers"), ("routing", "instances")])
        if not (isinstance(data, dict) and isinstance(data.get("base"), dict)):
            return data
        scenarios = data.get("scenarios")
        if not (isinstance(scenarios, dict) and all(isinstance(item, dict) for item in scenarios.values())):
            return data
        try:
            FleetScenario.model_validate(data["base"])
        except ValidationError:
            return {**data, "scenarios": {}}
        return {**data, "scenarios": {name: variant(name, data["base"], scenarios) for name in scenarios}}

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        known = [UNKNOWN_SITE, AS_WATER, *self.sites]
        for name, scenario in self.all.items():
            if scenario.site not in known:
                raise ValueError(f"{name}: site {scenario.site!r} is none of {known}")
        if "base" in self.scenarios:
            raise ValueError("scenarios: 'base' is taken")
        for name in self.shares_of:
            if name not in self.all:
                raise ValueError(f"shares_of: {name!r} is none of {list(self.all)}")
        return self

    @property
    def all(self) -> dict[str, FleetScenario]:
        """The base, then the scenarios."""
        return {"base": self.base, **self.scenarios}


SETTINGS = Fleet
