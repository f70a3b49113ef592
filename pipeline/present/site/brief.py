"""The two pictures of the brief: what one query takes and what lowers it most, drawn as on the start page."""

from pipeline.present.site.headline import IGNORANCE, RE, STATED, WATER, Panel, Row, ours, printed
from pipeline.present.site.values import fixed, significant

FEW = 1.2  # a gain below needs two decimals to be told from none

# Of small models no evidence is of grade A or B in both regimes: their gain is of the chain on all evidence.
ROUTING, HARDWARE = "lever-alone.{}.overlap.routing", "lever-alone.{}.graded.hardware"
TOGETHER = {"graded": "All on good evidence, with overlaps", "overlap": "All, on weaker evidence too"}
SITE, SHORTER = "site.hyperscale-mean.best", "lever.shorter-outputs.as-in-production.long"


def times(value: float) -> str:
    """A gain as text: `1.05`, `2.8`, `16`."""
    whole = value >= 10 or value.is_integer()
    return fixed(value, 0 if whole else 2 if value < FEW else 1)


def gain(name: str, row: str, prefix: str = "") -> Row:
    """How many times less energy, with the interval of our ignorance."""
    middle, low, high = (f"{row}.{prefix}{end}" for end in ("p50", "p5", "p95"))
    return Row(name, "re_estimated", IGNORANCE, middle, low, high)


def levers(regime: str) -> list[Row]:
    """Small models and accelerators, each alone."""
    return [
        gain("Small models where they suffice", ROUTING.format(regime), "step_"),
        gain("Newer accelerators", HARDWARE.format(regime), "step_"),
    ]


def together(regime: str) -> list[Row]:
    """All levers with their overlaps."""
    return [gain(name, f"lever-all.{regime}.{chain}", "cumulative_") for chain, name in TOGETHER.items()]


ENERGY = Panel(
    "Energy",
    "Wh",
    "Wh per query at the data centre, large open models",
    (0.1, 10),
    [
        (
            "A short query",
            [
                printed("Published", "v2.blend.short"),
                ours("Our estimate", RE.format("production_lengths.short"), "wh", "."),
            ],
        ),
        (
            "A query that reasons",
            [
                printed("Published", "v2.blend.long"),
                ours("Our estimate", RE.format("production_lengths.long"), "wh", "."),
            ],
        ),
    ],
    lambda value: fixed(value, 2),
)
WATER_USED = Panel(
    "Water",
    "mL",
    "mL consumed per short query, at Microsoft’s largest sites",
    (0.01, 10),
    [
        (
            "Our estimate",
            [
                ours("On site alone", WATER.format("short", "onsite"), "ml", ".median_"),
                ours("With its electricity", WATER.format("short", "total"), "ml", ".median_"),
            ],
        )
    ],
    significant,
)
GAINS = Panel(
    "What lowers it",
    "times",
    "times less energy for the same work",
    (0.9, 50),
    [
        ("Short, frequent queries", [*levers("short"), gain("The best sites", SITE), *together("short")]),
        ("Reasoning", [gain("Shorter answers", SHORTER), *levers("long"), *together("long")]),
        ("Published for all of them", [printed("All levers together", "v2.combined", STATED)]),
    ],
    times,
)
