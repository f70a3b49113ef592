"""What the re-estimate assumes about traffic, load, server power and cooling.

`load` says how far production runs below the configuration that a benchmark measures. With demand u times
what the deployment could serve at its configured concurrency, a share `idle_share` of the shortfall 1 - u
shows as idle nodes, the rest as smaller batches (pipeline/estimate/load.py has the equations).
"""

from typing import Literal

from pydantic import Field

from pipeline.assumptions.base import Assumption, Correlation, Fraction, Pue, Ratio, Section, Tokens
from pipeline.assumptions.deployments import Deployments, Propagation
from pipeline.assumptions.serving import Serving


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
    """Lengths as production traces have them: short = conversation, long = reasoning."""

    short: TracedTraffic
    long: TracedTraffic
    unmeasured_correlation: Correlation


class Lengths(Section):
    """Both scenarios of token lengths."""

    published: PublishedLengths
    production: ProductionLengths


class Load(Section):
    """Utilisation and how the shortfall shows."""

    utilisation: Fraction
    idle_share: Fraction


class Watts(Assumption):
    """A power in W."""

    unit: Literal["W"]


class ServerPower(Section):
    """What is believed of a server before its measurements are taken in.

    Wall power = fixed_w * g / 8 + (1 + loss) * GPU power, for g GPUs of a server with eight.
    """

    fixed_w: Watts
    loss: Fraction
    gpu_idle_share: Fraction
    gpu_training_share: Fraction
    gpu_training_peak_share: Fraction
    server_spread: Ratio
    engine_spread: Ratio
    training_spread: Ratio


class ReEstimate(Section):
    """The assumptions of the re-estimate."""

    lengths: Lengths
    load: Load
    server_power: dict[Literal["A100", "H100", "B200"], ServerPower] = Field(min_length=3)
    pue: Pue
    serving: Serving
    deployments: Deployments
    propagation: Propagation
