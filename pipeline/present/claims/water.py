"""The claim about water on site, held against the water of our queries at its owner's sites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.present.claims.evidence import Evidence
from pipeline.present.claims.support import Case, HeldAgainst

BLEND = "blend"


@dataclass(frozen=True, kw_only=True)
class WaterAtSites(HeldAgainst):
    """Water of the median query of a service, mL, in scenarios of sites.

    `variant` names the lengths of ours, `published_variant` the published energies.
    """

    variant: str
    published_variant: str
    regime: str
    scenarios: Sequence[str]
    scope: str

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """One for each scenario."""
        return [
            Case.of(self._median_query(evidence, scenario), "median_", "_ml") for scenario in self.scenarios
        ]

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Medians by scenario, and the quartiles of the published energies in the first of them."""
        medians = {name: self._median_query(evidence, name)["median_p50_ml"] for name in self.scenarios}
        published = evidence.water_row(self._keys(self.scenarios[0]) | {"variant": self.published_variant})
        return {**medians, "published_p25": published["p25_ml"], "published_p75": published["p75_ml"]}

    def _median_query(self, evidence: Evidence, scenario: str) -> pd.Series:
        return evidence.water_split_row(self._keys(scenario) | {"variant": self.variant})

    def _keys(self, scenario: str) -> dict[str, str]:
        return {"regime": self.regime, "subject": BLEND, "site_scenario": scenario, "scope": self.scope}
