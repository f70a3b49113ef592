"""What the re-estimate assumes about practice, traffic, load, server power and cooling.

`load` says how far production runs below the configuration that a benchmark measures. With demand u times
what the deployment could serve at its configured concurrency, a share `idle_share` of the shortfall 1 - u
shows as idle nodes, the rest as smaller batches (pipeline/energy/model/load.py has the equations).
"""

from typing import ClassVar

from pipeline.core.assumption import Fraction, Pue, Ratio, Section
from pipeline.core.settings import Joined
from pipeline.lengths.model.settings import Lengths
from pipeline.servers.model.settings import Servers
from pipeline.serving.model.deployments import Deployments, Propagation
from pipeline.serving.model.settings import Serving


class Practice(Section):
    """What services do today: in every estimate of one, and what levers gain from.

    cached_share : of the input tokens, read from a prefix cache and not computed.
    reallocates : probability that a service gives nodes to other work when demand falls.
    reallocated_utilisation : that of `Load`, where it does.
    fleet_gain : times more requests served than by one instance alone where experts are spread over many.
    """

    cached_share: Fraction
    reallocates: Fraction
    reallocated_utilisation: Fraction
    fleet_gain: Ratio


class Load(Section):
    """Utilisation where nodes are kept for the service, and how the shortfall shows."""

    utilisation: Fraction
    idle_share: Fraction


class ReEstimate(Joined):
    """The assumptions of the re-estimate: its own, and those of lengths, servers and serving."""

    PARTS: ClassVar[tuple[str, ...]] = ("lengths", "servers", "serving")

    lengths: Lengths
    servers: Servers
    serving: Serving
    practice: Practice
    load: Load
    pue: Pue
    deployments: Deployments
    propagation: Propagation


SETTINGS = ReEstimate
