"""All figures of the project in one list, in the order in which they are read."""

from pipeline.present.figures import fleet, levers, published, re_estimated, validation, water
from pipeline.present.figures.registry import Entry

GROUPS: dict[str, list[Entry]] = {
    "published": published.FIGURES,
    "validation": validation.FIGURES,
    "re_estimated": re_estimated.FIGURES,
    "water": water.FIGURES,
    "levers": levers.FIGURES,
    "fleet": fleet.FIGURES,
}
ALL: list[Entry] = [entry for entries in GROUPS.values() for entry in entries]
