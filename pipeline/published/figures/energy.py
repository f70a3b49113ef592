"""Energy per query of the published analysis: by model, by pathway, and what its sensitivities change.

Each figure is a forest: a row for each subject with the violin of its draws, its interval, and below it what
the paper prints.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from pipeline.published.figures.draws import BLEND, KINDS, Histogram, Results, Row
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

COUPLED, LONGER = "v2_power_coupled", "v2_input_{}"
PATHWAYS = {
    "baseline": "Blend, as it is",
    "model": "Better models",
    "serving": "Better serving",
    "hardware": "Better hardware",
}
INPUT_TOKENS = [500, 1000, 5000]
VIOLIN_HEIGHT, VIOLIN_ALPHA = 0.5, 0.30
POINTS, SMOOTHING = 1500, 0.12  # quantiles behind a violin; of the usual bandwidth, so that cuts stay seen
MASS_SHOWN = 5e-3  # a violin is drawn between the quantiles that leave this share on either side
PRINTED_BELOW = 0.17
BINS = 60
PAIR_APART, DRAWN_COLOUR = 0.22, "#A9B0BA"
BLEND_WORDS = (
    "The blend is an equal mix of the three models with the highest median, after each model's draws were "
    "cut to P5–P95 and the rest again to P10–P90, as in the paper; each pathway alone divides it by its "
    "multiplier."
)
EFFECTIVE = (
    "Output length is taken as output tokens plus a thirtieth of the input tokens, as in the paper; "
    "the paper states values of the blend alone."
)
SHADED = f"{style.UNCERTAINTY} Shaded: density on the log axis"


@figure("fig-1a", "Energy per query by model, chat", "single", regime="short")
@figure("fig-2a", "Energy per query by model, reasoning", "single", regime="long")
def by_model(
    profile: Figures,
    energy_per_query: pd.DataFrame,
    energy_histograms: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    regime: str,
) -> Drawing:
    """A row for each model, highest median first, as in the paper."""
    results = Results(energy_per_query, published__claims, energy_histograms)
    rows = model_rows(results, regime)
    drawn, ax = style.new_figure(profile, "single", height_mm=72)
    style.log_axis_wh(ax, *limits(rows))
    draw_rows(ax, rows)
    marks.interval_key(ax)
    kind = KINDS[regime]
    alt = (
        f"Horizontal distributions on a log axis of energy per {kind} query, one for each of "
        f"{len(rows)} models. "
        f"Median and quartiles in Wh: {in_words(rows)}."
    )
    draws = int(rows[0].summary["n_draws"])
    caption = (
        f"Energy per {kind} query by model, as published. {SHADED}, from {draws:,} draws a model. "
        f"{style.PRINTED} Boundary: node times PUE."
    )
    most, least = (float(row.summary["p50_wh"]) for row in (rows[0], rows[-1]))
    medians = f"{formats.significant(least)} to {formats.significant(most)} Wh"
    says = finding((least < most, f"As published, models take {medians} at the median"))
    return Drawing(drawn, alt, caption, says)


def model_rows(results: Results, regime: str) -> list[Row]:
    """Every model beside what the paper prints of it."""
    names = results.models(regime)
    return [results.row(regime, name, claim=f"v2.{regime}.{style.model_key(name)}") for name in names]


@figure("fig-1b", "Efficiency pathways, chat", "single", regime="short")
@figure("fig-2b", "Efficiency pathways, reasoning", "single", regime="long")
def by_pathway(
    profile: Figures,
    energy_per_query: pd.DataFrame,
    energy_histograms: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    regime: str,
) -> Drawing:
    """The blend of the three largest models, and what each efficiency pathway does to it."""
    rows = pathway_rows(Results(energy_per_query, published__claims, energy_histograms), regime)
    drawn, ax = style.new_figure(profile, "single", height_mm=60)
    style.log_axis_wh(ax, *limits(rows))
    draw_rows(ax, rows)
    marks.interval_key(ax)
    kind = KINDS[regime]
    alt = (
        f"Four horizontal distributions on a log axis of energy per {kind} query: the blend and three "
        f"pathways, one at a time. Median and quartiles in Wh: {in_words(rows)}."
    )
    caption = (
        f"Energy per {kind} query of the blend of large models, and what each efficiency pathway alone does "
        f"to it, as published. {SHADED}. {style.PRINTED} {BLEND_WORDS}"
    )
    base, *gains = (float(row.summary["p50_wh"]) for row in rows)
    least, most = (formats.significant(base / end) for end in (max(gains), min(gains)))
    says = finding((max(gains) < base, f"As published, each pathway alone saves {least} to {most} times"))
    return Drawing(drawn, alt, caption, says)


def pathway_rows(results: Results, regime: str) -> list[Row]:
    """Baseline and pathways, in the order of the paper; each pathway with its gain in the median."""
    rows: list[Row] = []
    for pathway, name in PATHWAYS.items():
        baseline = pathway == "baseline"
        subject = BLEND if baseline else f"{BLEND} + {pathway}"
        row = results.row(regime, subject, claim=f"v2.{regime}.pathway.{pathway}")
        base = float((rows[0] if rows else row).summary["p50_wh"])
        gain = "" if baseline else f", {base / row.summary['p50_wh']:.1f}× less"
        colour = style.INK if baseline else style.MEANING["as_published"]
        rows.append(replace(row, name=name + gain, colour=colour))
    return rows


@figure("fig-1b-histograms", "Efficiency pathways as histograms, chat", "middle")
def pathway_histograms(
    profile: Figures,
    energy_per_query: pd.DataFrame,
    energy_histograms: pd.DataFrame,
    published__claims: pd.DataFrame,
) -> Drawing:
    """Chat queries on a linear axis, a panel for each pathway over the outline of the baseline."""
    rows = pathway_rows(Results(energy_per_query, published__claims, energy_histograms), "short")
    edges = np.linspace(0, float(rows[0].summary["p95_wh"]) * 1.1, BINS + 1)
    drawn, panels = style.new_figure(profile, "middle", 84, rows=len(rows), sharex=True, sharey=True)
    shares = [100 * row.draws.rebinned(edges) for row in rows if row.draws is not None]
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
        words = f"{row.name}\nmedian {row.words()}"
        ax.text(1, 0.93, words, transform=ax.transAxes, ha="right", va="top", linespacing=1.1)
    panels[-1].set_xlabel("Energy per query (Wh)")
    drawn.supylabel("Share of draws (% a bin)", fontsize=style.TEXT_PT)
    marks.key(panels[0], [(marks.line_sample(style.INK), "baseline"), (marks.dash_sample(), "median")])
    alt = (
        "Four histograms under each other on one linear axis of energy per chat query: the blend as "
        "it is, and after each pathway, which moves it left. Median and quartiles in Wh: "
        f"{in_words(rows)}."
    )
    caption = (
        "The distributions of Figure 1b as histograms on a linear axis. Line in every panel: the baseline. "
        f"Dashed: median. Bins of {edges[1]:.3f} Wh; draws above {edges[-1]:.2f} Wh are not shown. "
        f"{BLEND_WORDS}"
    )
    ends = [float(row.summary["p95_wh"]) for row in rows]
    says = finding(
        (
            max(ends[1:]) < ends[0],
            "As published, every pathway shifts all queries, not only the middle",
        )
    )
    return Drawing(drawn, alt, caption, says)


@figure("fig-s3-input-length-short", "Sensitivity to input length, chat", "double", regime="short")
@figure("fig-s4-input-length-long", "Sensitivity to input length, reasoning", "double", regime="long")
def by_input_length(
    profile: Figures,
    energy_per_query: pd.DataFrame,
    energy_histograms: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    regime: str,
) -> Drawing:
    """Models and blend with longer prompts, a thirtieth of them counted as output; a panel a length."""
    results = Results(energy_per_query, published__claims, energy_histograms)
    panels = {
        tokens: [
            results.row(
                regime, subject, LONGER.format(tokens), f"v2.sens.input{tokens}.{regime}" * (subject == BLEND)
            )
            for subject in [*results.models(regime), BLEND]
        ]
        for tokens in INPUT_TOKENS
    }
    low, high = limits([row for rows in panels.values() for row in rows])
    drawn, plots = style.new_figure(profile, "double", 74, columns=len(panels))
    for ax, (tokens, rows) in zip(plots, panels.items(), strict=True):
        style.log_axis_wh(ax, low, high)
        draw_rows(ax, rows, named=ax is plots[0], quartiles=False)
        style.panel_title(ax, f"{tokens:,} input tokens")
    marks.interval_key(plots[-1], lift_pt=style.TITLE_PT + 4)
    kind = KINDS[regime]
    words = " ".join(f"{tokens:,} input tokens: {in_words(rows)}." for tokens, rows in panels.items())
    alt = (
        f"Three panels, for 500, 1,000 and 5,000 input tokens, each with the energy per {kind} query of "
        f"{len(panels[INPUT_TOKENS[0]]) - 1} models and the blend on a log axis. Median and quartiles in Wh. "
        f"{words}"
    )
    caption = f"Energy per {kind} query by input length, as published. {SHADED}. {style.PRINTED} {EFFECTIVE}"
    first, last = (
        float(panels[tokens][-1].summary["p50_wh"]) for tokens in (INPUT_TOKENS[0], INPUT_TOKENS[-1])
    )
    times = INPUT_TOKENS[-1] / INPUT_TOKENS[0]
    longer = f"prompts {times:g} times as long take {last / first:.1f} times the energy"
    says = finding((last > first, f"As published, {longer}"))
    return Drawing(drawn, alt, caption, says)


@figure(
    "fig-s5-power-coupling-short",
    "Power coupled to throughput, chat",
    "single",
    regime="short",
)
@figure("fig-s6-power-coupling-long", "Power coupled to throughput, reasoning", "single", regime="long")
def by_power_coupling(
    profile: Figures, energy_per_query: pd.DataFrame, published__claims: pd.DataFrame, *, regime: str
) -> Drawing:
    """Power utilisation that follows throughput, below the one that is drawn at random."""
    results = Results(energy_per_query, published__claims)
    subjects = [*results.models(regime), BLEND]
    others = [replace(results.row(regime, subject), colour=DRAWN_COLOUR) for subject in subjects]
    coupled = []
    for subject, before in zip(subjects, others, strict=True):
        row = results.row(regime, subject, COUPLED, f"v2.sens.pu.{regime}" * (subject == BLEND))
        change = f"{row.summary['p50_wh'] / before.summary['p50_wh'] - 1:+.0%}".replace("-", "−").replace(
            "%", " %"
        )
        coupled.append(replace(row, note=f"{row.words()}, {change}"))
    drawn, ax = style.new_figure(profile, "single", height_mm=72)
    style.log_axis_wh(ax, *limits([*coupled, *others]))
    intervals(ax, others, shift=-PAIR_APART)
    draw_rows(ax, coupled)
    samples = [
        (marks.interval_sample(DRAWN_COLOUR), "drawn"),
        (marks.interval_sample(style.INK), "coupled"),
        (marks.printed_sample(), "paper"),
    ]
    marks.key(ax, samples)
    kind = KINDS[regime]
    alt = (
        f"Pairs of intervals of energy per {kind} query on a log axis, with power utilisation drawn and "
        "coupled to throughput. Coupled, median and quartiles in Wh, and change of the median: "
        f"{in_words(coupled)}."
    )
    caption = (
        f"Energy per {kind} query when power utilisation follows throughput instead of being drawn, as "
        f"published; grey: drawn. {style.UNCERTAINTY} {style.PRINTED}"
    )
    change = coupled[-1].summary["p50_wh"] / others[-1].summary["p50_wh"] - 1
    text = f"{100 * abs(change):.0f} % {'more' if change > 0 else 'less'} at the median"
    says = finding((True, f"Power tied to throughput gives {text}"))
    return Drawing(drawn, alt, caption, says)


def draw_rows(ax: Axes, rows: Sequence[Row], named: bool = True, quartiles: bool = True) -> None:
    """Draw the rows from top to bottom; values stand on the left, under names if `named`.

    Without `quartiles` the values are medians alone.
    """
    for y, row in enumerate(rows):
        if row.draws is not None:
            violin(ax, y, row.draws, row.colour)
        if row.printed is not None:
            printed = (float(row.printed[name]) for name in ("value", "low", "high"))
            marks.printed_marks(ax, y + PRINTED_BELOW, *printed)
    intervals(ax, rows)
    ax.set_ylim(len(rows) - 1 + 0.42, -0.62)
    names = [row.name if named else "" for row in rows]
    marks.row_names(ax, range(len(rows)), names, [row.words(quartiles) for row in rows])


def violin(ax: Axes, y: float, draws: Histogram, colour: str) -> None:
    """The upper half of a violin that stands on row `y`."""
    values = draws.quantiles(np.linspace(MASS_SHOWN, 1 - MASS_SHOWN, POINTS))
    sns.violinplot(
        x=values,
        y=np.full(POINTS, y - VIOLIN_HEIGHT / 2),
        width=VIOLIN_HEIGHT,
        orient="h",
        native_scale=True,
        split=True,
        cut=0,
        bw_adjust=SMOOTHING,
        gridsize=300,
        inner=None,
        color=colour,
        saturation=1,
        linewidth=0,
        alpha=VIOLIN_ALPHA,
        zorder=1,
        gid="density",
        ax=ax,
    )


def intervals(ax: Axes, rows: Sequence[Row], shift: float = 0.0) -> None:
    """The interval of each row."""
    table = pd.DataFrame([row.summary for row in rows])
    marks.intervals(ax, table, [y + shift for y in range(len(rows))], [row.colour for row in rows], "p{}_wh")


def limits(rows: Sequence[Row]) -> tuple[float, float]:
    """Round limits of a log axis that hold every interval and every violin drawn."""
    values = [float(row.summary[f"p{p}_wh"]) for row in rows for p in (5, 95)]
    shown = [
        row.draws.quantiles(np.array([MASS_SHOWN, 1 - MASS_SHOWN])) for row in rows if row.draws is not None
    ]
    return style.decade_span([*values, *(float(end) for ends in shown for end in ends)])


def in_words(rows: Sequence[Row]) -> str:
    """`Name 0.31 (0.16–0.60); ...` for alt texts."""
    return "; ".join(f"{row.name} {row.words().removesuffix(' Wh')}" for row in rows)
