"""From the mean energy of a query to the energy of a day's queries."""

import math

from pipeline.assumptions.published import Base, known
from pipeline.contracts.results import Regime
from pipeline.units import WH_PER_GWH


def daily_gwh_per_wh(base: Base, regime: Regime) -> float:
    """GWh a day for one Wh a query: queries a day times the fleet's overhead factors."""
    overheads = base.overheads_short if regime == "short" else base.overheads_long
    return known(base.queries_per_day) * math.prod(known(item) for item in overheads) / WH_PER_GWH
