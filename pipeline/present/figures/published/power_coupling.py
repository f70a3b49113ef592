"""Supplement: power utilisation coupled to throughput instead of drawn."""

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.published import forest
from pipeline.present.figures.published.tables import BLEND, COUPLED, REGIME_NAMES, PublishedTables
from pipeline.present.save import Drawing

DRAWN_ABOVE = 0.22
DRAWN_COLOUR = "#A9B0BA"


def fig_power_coupling_short(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries."""
    return _power_coupling(tables, profile, "short")


def fig_power_coupling_long(tables: PublishedTables, profile: Figures) -> Drawing:
    """Queries with test-time scaling."""
    return _power_coupling(tables, profile, "long")


def _power_coupling(tables: PublishedTables, profile: Figures, regime: str) -> Drawing:
    coupled, drawn = [], []
    for subject in [*tables.models(regime), BLEND]:
        name = "Blend" if subject == BLEND else style.model_name(subject)
        colour = style.INK if subject == BLEND else style.model_colour(subject)
        claim = tables.claim(f"v2.sens.pu.{regime}") if subject == BLEND else None
        drawn.append(forest.Row(name, DRAWN_COLOUR, tables.summary(regime, subject)))
        summary = tables.summary(regime, subject, COUPLED)
        change = f"{summary['p50_wh'] / drawn[-1].summary['p50_wh'] - 1:+.0%}".replace("-", "−")
        note = f"{axes.interval(*(summary[f'p{p}_wh'] for p in (50, 25, 75)))} Wh, {change}"
        coupled.append(forest.Row(name, colour, summary, None, claim, note))
    figure, ax = style.new_figure(profile, "single", height_mm=72)
    axes.log_axis_wh(ax, *forest.limits([*coupled, *drawn]))
    for y, row in enumerate(drawn):
        marks.summary_marks(ax, y - DRAWN_ABOVE, row.summary, row.colour)
    forest.draw_rows(ax, coupled)
    samples = [
        (key.interval_sample(DRAWN_COLOUR), "drawn"),
        (key.interval_sample(style.INK), "coupled"),
        (key.printed_sample(), "paper"),
    ]
    key.key(ax, samples)
    kind = REGIME_NAMES[regime]
    alt = (
        f"Pairs of intervals of energy per {kind} query on a log axis, with power utilisation drawn and "
        "coupled to throughput. Coupled, median and quartiles in Wh, and change of the median: "
        f"{forest.in_words(coupled)}."
    )
    caption = (
        f"Energy per {kind} query when power utilisation follows throughput instead of being drawn, as "
        f"published; grey: drawn. {style.UNCERTAINTY} {style.PRINTED}"
    )
    return Drawing(figure, alt, caption)
