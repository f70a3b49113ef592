"""Figures 1b and 2b: the blend of the three largest models and what each efficiency pathway does to it."""

import numpy as np

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.published import forest
from pipeline.present.figures.published.tables import BLEND, REGIME_NAMES, PublishedTables
from pipeline.present.save import Drawing

PATHWAYS = {
    "baseline": "Blend, as it is",
    "model": "Better models",
    "serving": "Better serving",
    "hardware": "Better hardware",
}
BINS = 60
BLEND_WORDS = (
    "The blend is an equal mix of the three models with the highest median, after each model's draws were "
    "cut to P5–P95 and the rest again to P10–P90, as in the paper; each pathway alone divides it by its "
    "multiplier."
)


def fig_1b(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries."""
    return _pathways(tables, profile, "short")


def fig_2b(tables: PublishedTables, profile: Figures) -> Drawing:
    """Queries with test-time scaling."""
    return _pathways(tables, profile, "long")


def pathway_rows(tables: PublishedTables, regime: str) -> list[forest.Row]:
    """Baseline and pathways, in the order of the paper; each pathway with its gain in the median."""
    rows = []
    base = float(tables.summary(regime, BLEND)["p50_wh"])
    for pathway, name in PATHWAYS.items():
        subject = BLEND if pathway == "baseline" else f"{BLEND} + {pathway}"
        summary = tables.summary(regime, subject)
        colour = style.INK if pathway == "baseline" else style.MEANING["as_published"]
        gain = "" if pathway == "baseline" else f", {base / summary['p50_wh']:.1f}× less"
        row = forest.Row(
            name + gain,
            colour,
            summary,
            tables.histogram(regime, subject),
            tables.claim(f"v2.{regime}.pathway.{pathway}"),
        )
        rows.append(row)
    return rows


def _pathways(tables: PublishedTables, profile: Figures, regime: str) -> Drawing:
    rows = pathway_rows(tables, regime)
    figure, ax = style.new_figure(profile, "single", height_mm=60)
    axes.log_axis_wh(ax, *forest.limits(rows))
    forest.draw_rows(ax, rows)
    key.interval_key(ax)
    kind = REGIME_NAMES[regime]
    alt = (
        f"Four horizontal distributions on a log axis of energy per {kind} query: the blend and three "
        f"pathways, one at a time. Median and quartiles in Wh: {forest.in_words(rows)}."
    )
    caption = (
        f"Energy per {kind} query of the blend of large models, and what each efficiency pathway alone does "
        f"to it, as published. {style.UNCERTAINTY} Shaded: density on the log axis. {style.PRINTED} "
        f"{BLEND_WORDS}"
    )
    return Drawing(figure, alt, caption)


def fig_1b_histograms(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries on a linear axis, a panel for each pathway over the outline of the baseline."""
    rows = pathway_rows(tables, "short")
    edges = np.linspace(0, float(rows[0].summary["p95_wh"]) * 1.1, BINS + 1)
    figure, panels = style.new_figure(profile, "middle", 84, rows=len(rows), sharex=True, sharey=True)
    shares = [100 * forest.histogram_of(row).rebinned(edges) for row in rows]
    top = 1.12 * max(float(share.max()) for share in shares)
    for ax, row, share in zip(panels, rows, shares, strict=True):
        ax.stairs(share, edges, fill=True, color=row.colour, alpha=0.45, linewidth=0, gid="density")
        ax.stairs(shares[0], edges, color=style.INK, linewidth=0.7, gid="density")
        median = float(row.summary["p50_wh"])
        ax.plot([median] * 2, [0, top], color=style.INK, linewidth=0.8, dashes=(3, 1.5), gid=marks.DATA)
        ax.set(
            xlim=(0, edges[-1]),
            ylim=(0, top),
            yticks=[0, 10 * (top // 20), 20 * (top // 20)] if top > 20 else [0, 5, 10],
        )
        words = f"{row.name}\nmedian {forest.note(row)}"
        ax.text(1, 0.93, words, transform=ax.transAxes, ha="right", va="top", linespacing=1.1)
    panels[-1].set_xlabel("Energy per query (Wh)")
    figure.supylabel("Share of draws (% a bin)", fontsize=style.TEXT_PT)
    samples = [(key.outline_sample(style.INK), "baseline"), (key.dash_sample(), "median")]
    key.key(panels[0], samples)
    alt = (
        "Four histograms under each other on one linear axis of energy per traditional query: the blend as "
        "it is, and after each pathway, which moves it left. Median and quartiles in Wh: "
        f"{forest.in_words(rows)}."
    )
    caption = (
        "The distributions of Figure 1b as histograms on a linear axis. Line in every panel: the baseline. "
        f"Dashed: median. Bins of {edges[1]:.3f} Wh; draws above {edges[-1]:.2f} Wh are not shown. "
        f"{BLEND_WORDS}"
    )
    return Drawing(figure, alt, caption)
