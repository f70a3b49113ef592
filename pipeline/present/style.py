"""The one style of every figure.

How to draw a figure:

    with style.context():                                        # fonts, sizes, line widths
        figure, ax = style.new_figure(profile, "single", height_mm=52)
        axes.log_axis(ax, "x", 0.01, 10, "Energy per query (Wh)")
        marks.interval_marks(ax, y=0, summary=row, colour=style.model_colour("llama_3_1_405b"))
        marks.label_direct(ax, 0.4, 0, "0.39", colour=style.INK)

- Sizes: a width is the name of a column in params.yaml (`figures.column_widths_mm`); the canvas is that
  wide to the point, so text keeps its size in print. Never save with `bbox_inches="tight"`.
- Colours mean something. `MEANING`: where a number comes from. `model_colour`: the same model is the
  same colour in every figure. A figure uses one of the two, not both. Text is `INK`, `MUTED` or a
  `MEANING` colour (all at least 4.5:1 on white); nothing is told by colour alone.
- Uncertainty (`marks.interval_marks`): thin line P5-P95, thick line P25-P75, white-rimmed dot median.
  `UNCERTAINTY` says so in captions; an open diamond (`marks.printed_marker`) is what the paper prints.
- No legends over data: name things beside them (`marks.label_direct`), or above the axes.
- Plain Unicode text, no mathtext: text stays text in SVG and PDF.

The font is Roboto, from files beside this module, so figures do not depend on the machine. The paper
passes `FONT_FOLDER` to typst; SVG files carry the glyphs they use for browsers (see save.py).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from pipeline.assumptions.figures import Figures, Width
from pipeline.units import MM_PER_INCH

FONT = "Roboto"
FONT_FOLDER = Path(__file__).parent / "fonts"

INK = "#1A1D21"
MUTED = "#5A6069"
RULE = "#B4BAC2"
GRID = "#E4E7EB"
PAPER = "#FFFFFF"

# Distances are checked for normal sight, protanopia and deuteranopia in tests/present/test_palette.py.
MEANING = {
    "as_published": "#66707F",
    "re_estimated": "#1D5BD6",
    "measured": "#B84700",
    "modelled": "#5C1A33",
}
MODELS = {
    "deepseek_r1": "#7A1F5C",
    "llama_3_1_405b": "#2F6DB5",
    "nemotron_ultra_253b": "#2E9F99",
    "mixtral_8x22b": "#8C8C00",
    "llama_3_1_70b": "#D1495B",
}
OTHER_MODELS = {  # of figures that name each curve beside it: nearer to each other than the five above
    "qwen3_235b_a22b": "#3D3205",
    "deepseek_v3_1": "#6E55E7",
    "qwen3_32b": "#A65E2E",
    "qwen3_30b_a3b": "#00004C",
    "llama_3_1_8b": "#9D88CD",
}
REGIME_NAMES = {"short": "Short queries", "long": "Long queries (reasoning)"}
MODEL_NAMES = {
    "deepseek_r1": "DeepSeek-R1",
    "llama_3_1_405b": "Llama 3.1 405B",
    "nemotron_ultra_253b": "Nemotron Ultra 253B",
    "mixtral_8x22b": "Mixtral 8x22B",
    "llama_3_1_70b": "Llama 3.1 70B",
}

UNCERTAINTY = "Dot: median; thick line: P25 to P75; thin line: P5 to P95."
PRINTED = "Below each interval, open diamond and ticks: median and quartiles of the paper."

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
    "axes.prop_cycle": cycler(color=[*MODELS.values(), *OTHER_MODELS.values()]),
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
def context() -> Iterator[None]:
    """Draw and save in this style, whatever the machine's matplotlib settings; afterwards as before."""
    for file in sorted(FONT_FOLDER.glob("*.ttf")):
        if not any(Path(entry.fname) == file for entry in fontManager.ttflist):
            fontManager.addfont(file)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def inches(mm: float) -> float:
    """Millimetres to inches."""
    return mm / MM_PER_INCH


def new_figure(
    profile: Figures,
    width: Width,
    height_mm: float,
    rows: int = 1,
    columns: int = 1,
    **layout: Any,
) -> tuple[Figure, Any]:
    """A canvas exactly as wide as a column of the journal, with its axes (an array when several).

    `layout` goes to `Figure.subplots` (sharex, width_ratios, ...). The figure stands outside pyplot:
    it needs no display and no closing.
    """
    size = (inches(profile.width_mm(width)), inches(height_mm))
    figure = Figure(figsize=size, dpi=profile.png_dpi, layout="constrained")
    return figure, figure.subplots(rows, columns, **layout)


def model_colour(model: str) -> str:
    """The fixed colour of a model, by key or name; a model that has none of its own is grey."""
    key = model_key(model)
    return MODELS.get(key) or OTHER_MODELS.get(key) or MUTED


def model_name(model: str) -> str:
    """A model as readers know it."""
    return MODEL_NAMES.get(model_key(model), model)


def model_key(model: str) -> str:
    """`Llama 3.1 405B`, `llama-3.1-405b` and `llama_3_1_405b` are one model."""
    return re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")


def panel_title(ax: Axes, text: str) -> None:
    """A bold heading, flush left above its panel."""
    ax.set_title(text, loc="left")
