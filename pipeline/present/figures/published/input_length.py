"""Supplement: energy per query with longer prompts, a thirtieth of them counted as output."""

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, style
from pipeline.present.figures.published import forest
from pipeline.present.figures.published.tables import BLEND, REGIME_NAMES, PublishedTables, input_variant
from pipeline.present.save import Drawing

INPUT_TOKENS = [500, 1000, 5000]
EFFECTIVE = (
    "Output length is taken as output tokens plus a thirtieth of the input tokens, as in the paper; "
    "the paper states values of the blend alone."
)


def fig_input_length_short(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries."""
    return _input_length(tables, profile, "short")


def fig_input_length_long(tables: PublishedTables, profile: Figures) -> Drawing:
    """Queries with test-time scaling."""
    return _input_length(tables, profile, "long")


def rows_at(tables: PublishedTables, regime: str, tokens: int) -> list[forest.Row]:
    """Models and blend at one input length, in a fixed order; the paper prints the blend alone."""
    variant = input_variant(tokens)
    rows = [
        forest.Row(
            style.model_name(model),
            style.model_colour(model),
            tables.summary(regime, model, variant),
            tables.histogram(regime, model, variant),
        )
        for model in tables.models(regime)
    ]
    claim = tables.claim(f"v2.sens.input{tokens}.{regime}")
    blend = tables.summary(regime, BLEND, variant), tables.histogram(regime, BLEND, variant)
    return [*rows, forest.Row("Blend", style.INK, *blend, claim)]


def _input_length(tables: PublishedTables, profile: Figures, regime: str) -> Drawing:
    panels = {tokens: rows_at(tables, regime, tokens) for tokens in INPUT_TOKENS}
    low, high = forest.limits([row for rows in panels.values() for row in rows])
    figure, plots = style.new_figure(profile, "double", 74, columns=len(panels))
    for ax, (tokens, rows) in zip(plots, panels.items(), strict=True):
        axes.log_axis_wh(ax, low, high, axes.ENERGY_LABEL)
        forest.draw_rows(ax, rows, named=ax is plots[0], quartiles=False)
        style.panel_title(ax, f"{tokens:,} input tokens")
    key.interval_key(plots[-1], lift_pt=style.TITLE_PT + 4)
    kind = REGIME_NAMES[regime]
    words = " ".join(f"{tokens:,} input tokens: {forest.in_words(rows)}." for tokens, rows in panels.items())
    alt = (
        f"Three panels, for 500, 1,000 and 5,000 input tokens, each with the energy per {kind} query of "
        f"{len(panels[INPUT_TOKENS[0]]) - 1} models and the blend on a log axis. Median and quartiles in Wh. "
        f"{words}"
    )
    caption = (
        f"Energy per {kind} query by input length, as published. {style.UNCERTAINTY} "
        f"Shaded: density on the log axis. {style.PRINTED} {EFFECTIVE}"
    )
    return Drawing(figure, alt, caption)
