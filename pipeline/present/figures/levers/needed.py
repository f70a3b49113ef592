"""What a combined gain takes: over the share of queries on small models, with and without other levers."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.contracts.levers import CLAIMED_TOGETHER
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.levers import points
from pipeline.present.figures.levers.tables import LeverTables
from pipeline.present.lever_rows import share_for
from pipeline.present.save import Drawing

DASHES: dict[str, Any] = {
    "everything": "solid",
    "next accelerators and four bits": (0, (4, 1.2)),
    "serving and site, same accelerators": (0, (2, 1.2)),
    "nothing else": (0, (0.8, 1.2)),
}
NAMES = {
    "everything": "with every lever (90 % band)",
    "next accelerators and four bits": "with next accelerators and four bits",
    "serving and site, same accelerators": "with serving and site",
    "nothing else": "small models alone",
}
BANDED = "everything"  # bands of all would hide each other
BAND_ALPHA = 0.16
SPAN = (0.7, 200.0)


def fig_needed(tables: LeverTables, profile: Figures) -> Drawing:
    """Gain over the share that small models take, a line for each set of other levers."""
    figure, panels = style.new_figure(profile, "double", 76, columns=2, sharey=True)
    low, high = CLAIMED_TOGETHER
    words = []
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        axes.log_axis(ax, "y", *SPAN, "Times less energy (log scale)" if letter == "a" else "")
        ax.axhspan(low, high, color=points.SHADE, linewidth=0, zorder=0.3)
        for levers in DASHES:
            _curve(ax, rows_of(tables, regime, levers), levers)
            share = share_for(tables.needed, regime, levers, low)
            words.append(f"{regime}, {NAMES[levers]}: {in_words(share)}")
        ax.set(xlim=(0, 1), xlabel="Share of queries on small models (%)")
        ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], labels=["0", "20", "40", "60", "80", "100"])
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[1].tick_params(labelleft=False)
    key.above(figure, panels[1], _key())
    alt = (
        "Two panels of times less energy over the share of queries on small models, each with four curves "
        f"that rise. Share at which the median reaches {low:g} times: {'; '.join(words)}."
    )
    caption = (
        "What the combined gain takes. Median gain of the mean query over the share of queries that small "
        "models answer: by small models alone, with serving and site on the accelerators of today, with next "
        "accelerators and four bits, and with every lever; for the last the 90 % interval of what is not "
        f"known. Grey: the published {low:g} to {high:g} times. How the answers of a small model "
        "compare is not in it."
    )
    return Drawing(figure, alt, caption)


def rows_of(tables: LeverTables, regime: str, levers: str) -> pd.DataFrame:
    """One curve, from no query on small models to all."""
    needed = tables.needed
    return needed[(needed["regime"] == regime) & (needed["levers"] == levers)].sort_values("routed_share")


def in_words(share: float) -> str:
    """A share in whole per cent; one means all."""
    return "all" if share >= 1 else f"{100 * share:.0f} %"


def _curve(ax: Axes, rows: pd.DataFrame, levers: str) -> None:
    share, low, middle, high = (
        rows[name].to_numpy(float) for name in ("routed_share", "gain_p5", "gain_p50", "gain_p95")
    )
    if levers == BANDED:
        ax.fill_between(share, low, high, color=points.BLUE, alpha=BAND_ALPHA, linewidth=0, zorder=1)
    look: dict[str, Any] = {"color": points.BLUE, "linewidth": style.LINE_PT, "gid": marks.DATA}
    ax.plot(share, middle, linestyle=DASHES[levers], zorder=2, **look)


def _key() -> list[list[tuple[list[Artist], str]]]:
    band = key.patch_sample(points.BLUE, BAND_ALPHA)
    lines = {levers: [_line(dashes)] for levers, dashes in DASHES.items()}
    lines[BANDED] = [*band, *lines[BANDED]]
    entries = [(lines[levers], NAMES[levers]) for levers in DASHES]
    return [entries[:2], [*entries[2:], (key.patch_sample(points.SHADE), "published 8 to 20 times")]]


def _line(dashes: Any) -> Artist:
    look: dict[str, Any] = {"linewidth": style.LINE_PT, "linestyle": dashes, "color": points.BLUE}
    return Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, **look)
