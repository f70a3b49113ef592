"""What the levers are computed with where no measurement of ours says it: shares, gains, chips to compare."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.assumptions.base import Assumption, Fraction, Ratio, Section, Text, Tokens, expect
from pipeline.assumptions.deployments import Deployment

Steps = Annotated[Assumption, AfterValidator(expect("steps/task", minimum=1))]
Count = Annotated[Assumption, AfterValidator(expect("tokens", minimum=1))]
AtLeastOne = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1))]


class Agent(Section):
    """A web task of an agent: tokens of one step, and steps where no source gives them."""

    input_tokens: Tokens
    output_tokens: Tokens
    like_step: Ratio  # energy of a step of an agent of its size over one of Fara-7B
    steps_large: Steps


class Outputs(Section):
    """Share of the output tokens that is left, by regime."""

    short: Fraction
    long: Fraction


class Speculation(Section):
    """A draft of several tokens, checked in one step of the large model."""

    drafted_tokens: Count
    tokens_per_step: AtLeastOne  # tokens that a step yields, the corrected one included
    draft_cost: Fraction  # time of the draft over that of a step without one


class Cap(Section):
    """A power cap or a lower clock."""

    energy_gain: Ratio  # of the accelerators
    slowdown: AtLeastOne


class EvidenceOf(Section):
    """Rows of data/published/{levers,routers}.csv that a setting rests on; none: a judgement.

    Their regimes and grades decide where and how far a lever counts as shown (estimate/levers/evidence.py).
    """

    routed_share: list[Text]
    cached_share: list[Text]
    utilisation: list[Text]
    disaggregation: list[Text]  # no setting: what others found of what the model computes
    outputs: list[Text]
    speculation: list[Text]
    cap: list[Text]
    agent: list[Text]
    concurrency: list[Text]  # requests in flight of a service: assumptions.re_estimate.deployments
    site: list[Text]


class Hardware(Section):
    """Accelerators in a row; `models` are served on each, on the least instance that holds them.

    weights_headroom: memory of an instance over its weights, at least.
    """

    chips: Annotated[list[Text], Field(min_length=2)]  # the first is what the others are compared with
    models: Annotated[list[Deployment], Field(min_length=1)]
    next: Annotated[list[Text], Field(min_length=1)]  # what a service moves to, in equal parts
    weights_headroom: AtLeastOne
    unmeasured_software: Ratio  # energy on a chip whose software no fit has seen, over the model's

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [chip for chip in self.next if chip not in self.chips]
        if unknown:
            raise ValueError(f"next: {unknown[0]!r} is none of chips {self.chips}")
        return self


class Levers(Section):
    """Everything about levers. Small models, sites and routers are those of scenario.fleet."""

    models: Annotated[list[Deployment], Field(min_length=1)]
    evidence: EvidenceOf
    agent: Agent
    outputs: Outputs
    routed_share: Fraction
    cached_share: Fraction
    utilisation: Fraction
    power_of_throughput: Fraction
    speculation: Speculation
    cap: Cap
    hardware: Hardware
    site: Text  # of scenario.fleet.sites
    spare_deviations: Ratio  # places kept beyond the mean of users, in standard deviations
