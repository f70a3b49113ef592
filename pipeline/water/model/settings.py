"""What the water of a query rests on: which sites serve it, and what their published factors leave open."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.core.assumption import Assumption, Fraction, Names, Section, Text, expect

Factor = Annotated[Assumption, AfterValidator(expect("ratio", minimum=0))]
Weight = Annotated[float, Field(gt=0, le=1e6)]


class SiteScenario(Section):
    """Sites that a query may be served at, as rows of data/published/sites.csv.

    Weights: "equal", "electricity" (of a year, where sites.csv has it for every site), or one's own by site.
    """

    title: Text
    basis: Literal["consumption", "withdrawal"] = "consumption"
    sites: Annotated[Names, Field(min_length=1)]
    weights: Literal["equal", "electricity"] | dict[str, Weight] = "equal"
    source: Text
    reason: Text

    @model_validator(mode="after")
    def _weights_name_the_sites(self) -> Self:
        if isinstance(self.weights, dict) and set(self.weights) != set(self.sites):
            raise ValueError("weights: one for each of the sites, and no other")
        if len(set(self.sites)) < len(self.sites):
            raise ValueError("sites: each once")
        return self


class Water(Section):
    """Site scenarios, the factors that are not known, and what is written."""

    scenarios: Annotated[dict[str, SiteScenario], Field(min_length=1)]
    headline: Text  # the scenario that headlines and predictions take
    wue_factor: Factor
    electricity_factor: Factor
    closed_loop_pue_penalty: Fraction
    draws_per_replicate: Annotated[
        int, Field(ge=64, le=2**20)
    ]  # of the published analysis, from the head of its stream
    queries_per_sample: Annotated[int, Field(ge=8, le=2**12)]  # of the re-estimate, likewise

    @model_validator(mode="after")
    def _headline_is_a_scenario(self) -> Self:
        if self.headline not in self.scenarios:
            raise ValueError(f"headline {self.headline!r}, expected one of {', '.join(self.scenarios)}")
        if self.scenarios[self.headline].basis != "consumption":
            raise ValueError("headline: expected a scenario of consumption")
        return self


SETTINGS = Water
