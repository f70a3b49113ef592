"""Token lengths of queries: as the published analysis assumes them, and as production traces have them."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from pipeline.core.assumption import Assumption, Correlation, Fraction, Ratio, Section, Tokens, expect

Calls = Annotated[Assumption, AfterValidator(expect("calls/task", minimum=1))]


class FixedTraffic(Section):
    """Lengths by distributions stated outright, input and output independent."""

    input_tokens: Tokens
    output_tokens: Tokens


class TracedTraffic(Section):
    """Lengths shaped by a trace, times a level: the mean of another service over that of the trace."""

    traffic: Literal["conversation", "code", "reasoning"]
    input_level: Ratio
    output_level: Ratio


class PublishedLengths(Section):
    """Lengths as the published analysis assumes them."""

    short: FixedTraffic
    long: FixedTraffic


class ProductionLengths(Section):
    """Lengths as production traces have them: short = conversation, long = reasoning.

    `level_correlation` is that of ln input level and ln output level between services,
    `unmeasured_correlation` the rank correlation of the queries of one, where no source has both lengths.
    """

    short: TracedTraffic
    long: TracedTraffic
    level_correlation: Correlation
    unmeasured_correlation: Correlation


class AgentTraffic(Section):
    """Tokens of an agent's steps and the steps of its tasks, in production.

    input_tokens (with what the cache holds), output_tokens, cached_share, steps: means of one service, which
    differ between services. spread: in ln, between steps, and between tasks, of one service. window: what a
    model has to hold, to which agents compact longer contexts.
    """

    input_tokens: Tokens
    output_tokens: Tokens
    cached_share: Fraction
    steps: Calls
    input_spread: Ratio
    output_spread: Ratio
    steps_spread: Ratio
    window: Tokens


class Lengths(Section):
    """Both scenarios of token lengths, and agents, which the published analysis does not have."""

    published: PublishedLengths
    production: ProductionLengths
    agents: AgentTraffic


SETTINGS = Lengths
