"""The one style of every figure: fonts, colours, canvases, axes.

How to draw a figure:

    @figure("fig-x", "A title", "single")
    def fig_x(profile, energy_per_query):                        # a table of the catalogue, by its name
        drawn, ax = style.new_figure(profile, "single", height_mm=52)
        style.log_axis_wh(ax, 0.01, 10)
        marks.summary_marks(ax, 0, energy_per_query.iloc[0], colour=style.model_colour("Llama 3.1 405B"))
        return Drawing(drawn, alt, caption)

- Sizes: a width is the name of a column in params.yaml (`figures.column_widths_mm`); the canvas is that
  wide to the point, so text keeps its size in print. Never save with `bbox_inches="tight"`.
- Colours stand in params.yaml (`figures.colours`) and mean something. `MEANING`: where a number comes from.
  `model_colour`: the same model is the same colour in every figure. A figure uses one of the two, not both.
  Text is `INK`, `MUTED` or a `MEANING` colour (all at least 4.5:1 on white); nothing is told by colour alone.
- Statistical marks are seaborn's (violins, points with intervals, strips, facets), under one theme; what it
  does not have stands in marks.py.
- Uncertainty: thin line P5-P95, thick line P25-P75, white-rimmed dot median. `UNCERTAINTY` says so in
  captions; an open diamond (`marks.printed_marks`) is what the paper prints.
- No legends over data: name things beside them (`marks.label_direct`), or above the axes (`marks.key`).
- Plain Unicode text, no mathtext: text stays text in SVG and PDF.

The font is Roboto, from files beside this module, so figures do not depend on the machine. The paper
passes `FONTS` to typst; SVG files carry the glyphs they use for browsers (see save.py).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import get_named_colors_mapping
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

from pipeline.core.units import MM_PER_INCH
from pipeline.report import FONT, FONTS
from pipeline.report.formats import plain
from pipeline.report.settings import Figures, Meanings, Width

INK = "#1A1D21"
MUTED = "#5A6069"
RULE = "#B4BAC2"
GRID = "#E4E7EB"
PAPER = "#FFFFFF"

# Names under which `context` makes the colours of params.yaml known to matplotlib.
MEANING = {name: f"meaning:{name}" for name in Meanings.model_fields}
REGIME_NAMES = {"short": "Chat", "long": "Reasoning"}

UNCERTAINTY = "Dot: median; thick line: P25 to P75; thin line: P5 to P95."
PRINTED = "Below each interval, open diamond and ticks: median and quartiles of the paper."
ENERGY_LABEL = "Energy per query (Wh, log scale)"

TEXT_PT, SMALL_PT, TITLE_PT = 7.0, 6.0, 8.0
HAIR_PT, LINE_PT, THICK_PT = 0.5, 0.9, 3.0

SETTINGS: Any = {  # matplotlib types its keys one by one
    "font.family": [FONT],
    "font.size": TEXT_PT,
    "axes.labelsize": TEXT_PT,
    "axes.titlesize": TEXT_PT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 4.0,
    "figure.titlesize": TITLE_PT,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.fontsize": SMALL_PT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": RULE,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": HAIR_PT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.labelpad": 2.5,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": HAIR_PT,
    "xtick.major.width": HAIR_PT,
    "ytick.major.width": HAIR_PT,
    "xtick.minor.width": HAIR_PT,
    "ytick.minor.width": HAIR_PT,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.5,
    "lines.linewidth": LINE_PT,
    "lines.solid_capstyle": "projecting",
    "patch.force_edgecolor": False,
    "hatch.linewidth": HAIR_PT,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "figure.constrained_layout.h_pad": 2.0 / 72,
    "figure.constrained_layout.w_pad": 2.0 / 72,
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "svg.hashsalt": "perquery",
    "path.simplify": False,
    "text.hinting": "none",  # or the size of text would depend on the resolution
    "text.hinting_factor": 1,
}


@contextmanager
def context(profile: Figures) -> Iterator[None]:
    """Draw and save in this style, whatever the machine's matplotlib settings; afterwards as before."""
    for file in sorted(FONTS.glob("*.ttf")):
        if not any(Path(entry.fname) == file for entry in fontManager.ttflist):
            fontManager.addfont(file)
    for name, colour in _palette(profile).items():
        get_named_colors_mapping()[name] = colour
    with mpl.rc_context():
        mpl.rcdefaults()
        sns.set_theme(style="ticks", palette=list(profile.colours.models.values()), rc=SETTINGS)
        yield


def _palette(profile: Figures) -> dict[str, str]:
    """The colours of params.yaml under the names by which figures ask for them."""
    colours = profile.colours
    models = colours.models | colours.named_models
    return {MEANING[name]: colour for name, colour in colours.meaning} | {
        _model(model): colour for model, colour in models.items()
    }


def model_colour(model: str) -> str:
    """The fixed colour of a model, however its name is written; a model that has none of its own is grey."""
    return _model(model) if _model(model) in get_named_colors_mapping() else MUTED


def _model(name: str) -> str:
    return f"model:{model_key(name)}"


def model_key(model: str) -> str:
    """`Llama 3.1 405B`, `llama-3.1-405b` and `llama_3_1_405b` are one model."""
    return re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")


def inches(mm: float) -> float:
    """Millimetres to inches."""
    return mm / MM_PER_INCH


def new_figure(
    profile: Figures, width: Width, height_mm: float, rows: int = 1, columns: int = 1, **layout: Any
) -> tuple[Figure, Any]:
    """A canvas exactly as wide as a column of the journal, with its axes (an array when several).

    `layout` goes to `Figure.subplots` (sharex, width_ratios, ...). The figure stands outside pyplot:
    it needs no display and no closing.
    """
    size = (inches(profile.width_mm(width)), inches(height_mm))
    figure = Figure(figsize=size, dpi=profile.png_dpi, layout="constrained")
    return figure, figure.subplots(rows, columns, **layout)


def panel_title(ax: Axes, text: str) -> None:
    """A bold heading, flush left above its panel."""
    ax.set_title(text, loc="left")


def log_axis(
    ax: Axes, which: Literal["x", "y"], low: float, high: float, label: str, grid: bool = True
) -> None:
    """A log axis with one plainly written tick a decade and small ticks at 2 to 9."""
    axis: Axis = ax.xaxis if which == "x" else ax.yaxis
    ax.set(**{f"{which}scale": "log", f"{which}lim": (low, high), f"{which}label": label})
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    shown = [d for d in decades if low * 0.999 <= d <= high * 1.001]
    minor = [m * d for d in decades for m in range(2, 10) if low <= m * d <= high]
    axis.set_major_locator(FixedLocator(shown))
    axis.set_major_formatter(FixedFormatter([plain(d) for d in shown]))
    axis.set_minor_locator(FixedLocator(minor))
    axis.set_minor_formatter(NullFormatter())
    if grid:
        ax.grid(axis=which, which="major")


def log_axis_wh(ax: Axes, low: float, high: float, label: str = ENERGY_LABEL) -> None:
    """The horizontal axis of energy per query in Wh."""
    log_axis(ax, "x", low, high, label)


def name_rows(ax: Axes, names: Sequence[str], room: tuple[float, float] = (0.6, 0.6)) -> np.ndarray:
    """Rows from top to bottom, named on the left; returns the y of each row, 0 for the first, downwards.

    `room` is the space above the first and below the last row, in rows.
    """
    ys = np.arange(len(names), dtype=float)
    ax.set_yticks(ys, labels=list(names))
    ax.set_ylim(len(names) - 1 + room[1], -room[0])
    ax.tick_params(axis="y", length=0, labelsize=TEXT_PT)
    for label in ax.get_yticklabels():
        label.set_verticalalignment("center")
    ax.spines["left"].set_visible(False)
    return ys


def decade_span(values: Sequence[float], step: tuple[float, ...] = (1, 2, 5)) -> tuple[float, float]:
    """Limits of a log axis around positive values: the next 1, 2 or 5 below and above."""
    low, high = min(values), max(values)
    grid = [s * 10.0**e for e in range(-9, 13) for s in step]
    return max(g for g in grid if g <= low), min(g for g in grid if g >= high)
