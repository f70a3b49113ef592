"""Figures 1a and 2a: energy per query of five models, traditional and with test-time scaling."""

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, style
from pipeline.present.figures.published import forest
from pipeline.present.figures.published.tables import REGIME_NAMES, PublishedTables
from pipeline.present.save import Drawing


def fig_1a(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries, median 300 output tokens."""
    return _by_model(tables, profile, "short")


def fig_2a(tables: PublishedTables, profile: Figures) -> Drawing:
    """Queries with test-time scaling, median 5,000 output tokens."""
    return _by_model(tables, profile, "long")


def rows_by_model(tables: PublishedTables, regime: str) -> list[forest.Row]:
    """A row for each model, highest median first, as in the paper."""
    return [
        forest.Row(
            style.model_name(model),
            style.model_colour(model),
            tables.summary(regime, model),
            tables.histogram(regime, model),
            tables.model_claim(regime, model),
        )
        for model in tables.models(regime)
    ]


def _by_model(tables: PublishedTables, profile: Figures, regime: str) -> Drawing:
    rows = rows_by_model(tables, regime)
    figure, ax = style.new_figure(profile, "single", height_mm=72)
    axes.log_axis_wh(ax, *forest.limits(rows))
    forest.draw_rows(ax, rows)
    key.interval_key(ax)
    kind = REGIME_NAMES[regime]
    alt = (
        f"Horizontal distributions on a log axis of energy per {kind} query, one for each of "
        f"{len(rows)} models. "
        f"Median and quartiles in Wh: {forest.in_words(rows)}."
    )
    draws = int(rows[0].summary["n_draws"])
    caption = (
        f"Energy per {kind} query by model, as published. {style.UNCERTAINTY} Shaded: density on the log "
        f"axis, from {draws:,} draws a model. {style.PRINTED} Boundary: node times PUE."
    )
    return Drawing(figure, alt, caption)
