"""The published energy per query beside ours, for each model and the blend."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.re_estimated import dots
from pipeline.present.figures.re_estimated.tables import (
    ASSUMED,
    BLEND,
    PRODUCTION,
    VARIANT_NAMES,
    ReEstimatedTables,
)
from pipeline.present.save import Drawing

OFFSETS = {"published": -0.27, ASSUMED: 0.0, PRODUCTION: 0.27}  # rows
GREY = style.MEANING["as_published"]
BLEND_NAME = "Blend, > 200 B"


def fig_published_against_re_estimated(tables: ReEstimatedTables, profile: Figures) -> Drawing:
    """Three intervals a subject: published, ours with its lengths, ours with those of production."""
    subjects = tables.subjects()
    figure, panels = style.new_figure(profile, "double", 88, columns=2, sharey=True)
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        _panel(ax, tables, subjects, regime)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[1].tick_params(labelleft=False)
    key.above(figure, panels[1], _key())
    words = "; ".join(in_words(tables, regime) for regime in style.REGIME_NAMES)
    alt = (
        "Two panels, short and long queries: three intervals of energy per query on a log axis for each of "
        f"{len(subjects) - 1} models and the blend. The blend's medians, with the 90 % interval of what is "
        f"not known for ours: {words}."
    )
    caption = (
        "Energy per query at the facility, published against re-estimated. Published (grey): dot median, "
        "thick line P25 to P75 and thin line P5 to P95 of its draws. Ours (blue): dot median query, light "
        "band the 90 % interval of that median from what is not known, thin line P5 to P95 of the queries "
        "within a middling service: variability alone "
        "(open: with the published lengths; filled: production lengths). The published analysis does not "
        "keep these two kinds of spread apart. On the right: medians in Wh, ours with that interval."
    )
    return Drawing(figure, alt, caption)


def in_words(tables: ReEstimatedTables, regime: str) -> str:
    """The blend in one regime: published median, then ours with its interval in both scenarios."""
    published = axes.significant(float(tables.published(regime, BLEND)["p50_wh"]))
    ours = [f"{VARIANT_NAMES[v]} {_median(tables.ours(v, regime, BLEND))}" for v in (ASSUMED, PRODUCTION)]
    return f"{regime} queries published {published}, ours with {ours[0]}, with {ours[1]} Wh"


def _median(row: pd.Series) -> str:
    return axes.interval(*(float(row[f"median_{p}_wh"]) for p in ("p50", "p5", "p95")))


def _panel(ax: Axes, tables: ReEstimatedTables, subjects: list[str], regime: str) -> None:
    values: list[float] = []
    heights: list[float] = []
    words: list[str] = []
    for y, subject in enumerate(subjects):
        published = tables.published(regime, subject)
        marks.summary_marks(ax, y + OFFSETS["published"], published, GREY)
        values += [float(published["p5_wh"]), float(published["p95_wh"])]
        heights.append(y + OFFSETS["published"])
        words.append(axes.significant(float(published["p50_wh"])))
        for variant in (ASSUMED, PRODUCTION):
            row = tables.ours(variant, regime, subject)
            _draw_ours(ax, y + OFFSETS[variant], row, variant)
            values += [float(row[f"{what}_{p}_wh"]) for what in ("query", "median") for p in ("p5", "p95")]
            heights.append(y + OFFSETS[variant])
            words.append(_median(row))
    axes.log_axis_wh(ax, *axes.decade_span(values))
    names = [BLEND_NAME if subject == BLEND else style.model_name(subject) for subject in subjects]
    axes.name_rows(ax, names, room=(0.5, 0.5))
    for y in range(1, len(subjects)):
        ax.axhline(y - 0.5, color=style.GRID, linewidth=style.HAIR_PT, zorder=0.5)
    marks.row_texts(ax, heights, words)


def _draw_ours(ax: Axes, y: float, row: pd.Series, variant: str) -> None:
    dots.line(ax, float(row["query_p5_wh"]), float(row["query_p95_wh"]), y)
    dots.band(ax, float(row["median_p5_wh"]), float(row["median_p95_wh"]), y)
    dots.dot(ax, float(row["median_p50_wh"]), y, variant)


def _key() -> list[list[tuple[list[Artist], str]]]:
    """What the three kinds of interval show, once for both panels."""
    words = "dot: median; band: its 90 % from ignorance; line: P5–P95 in a middling service"
    ours = [(dots.sample(v, banded=True), f"ours, {VARIANT_NAMES[v]}") for v in (ASSUMED, PRODUCTION)]
    published = (key.interval_sample(GREY), f"published: {key.INTERVAL_WORDS} of draws")
    return [[published], [*ours, ([], words)]]
