"""The claim about water on site, held against the water of our queries at its owner's sites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.core.columns import BLEND
from pipeline.report.claims import Case, Evidence, HeldAgainst, Recipe

WATER = (
    "No derivation is published. Our median query, with lengths as in production, takes {published} mL on "
    "site over Microsoft's own sites, from a design that takes none to its region that takes most, and "
    "{microsoft_today} mL at its largest sites; queries of the published energies take {published_p25} to "
    "{published_p75} mL between their quartiles at the former. Both ends of the range are found among what "
    "Microsoft publishes (data/results/water_claim_assumptions.csv); the water of the electricity, which is "
    "more, is not in them."
)


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
        keys = self._keys(self.scenarios[0]) | {"variant": self.published_variant}
        published = evidence.row("water_per_query", analysis="as_published", **keys)
        return {**medians, "published_p25": published["p25_ml"], "published_p75": published["p75_ml"]}

    def _median_query(self, evidence: Evidence, scenario: str) -> pd.Series:
        return evidence.row("water_split", variant=self.variant, **self._keys(scenario))

    def _keys(self, scenario: str) -> dict[str, str]:
        return {"regime": self.regime, "subject": BLEND, "site_scenario": scenario, "scope": self.scope}


CLAIMS: dict[str, Recipe] = {
    "blog.water": WaterAtSites(
        variant="production_lengths",
        published_variant="v2",
        regime="short",
        scenarios=("published", "microsoft_today"),
        scope="onsite",
        reason=WATER,
    )
}
