"""The ladder of accelerators: times less energy than H100, by what it rests on, with its grade."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.contracts.published import GRADES_IN_WORDS
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.levers import points
from pipeline.present.figures.levers.systems import NAMES
from pipeline.present.figures.levers.tables import MEASURED, LeverTables
from pipeline.present.lever_rows import FITTED, STATED, Row, records
from pipeline.present.save import Drawing

BASELINE = "H100"
SPAN = (0.5, 30.0)
APART = 0.19  # rows of one chip
FOUR_BITS = "fp4"
FEW = 2


def fig_hardware(tables: LeverTables, profile: Figures) -> Drawing:
    """Chips from top to bottom; of each what was measured, what was published, and the fitted model."""
    chips = [chip for chip in dict.fromkeys(tables.hardware["chip"]) if _is_next(tables, chip)]
    figure, panels = style.new_figure(profile, "double", 10.5 * len(chips) + 20, columns=2, sharey=True)
    words = []
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        axes.name_rows(ax, [NAMES.get(chip, chip) for chip in chips], room=(0.6, 0.6))
        axes.log_axis(ax, "x", *SPAN, points.LABEL)
        marks.reference_line(ax, 1.0, "x")
        for y, chip in enumerate(chips):
            found = rows_of(tables, regime, chip)
            if y:
                ax.axhline(y - 0.5, color=style.GRID, linewidth=style.HAIR_PT)
            for at, row in enumerate(found):
                _mark(ax, y + APART * (at - (len(found) - 1) / 2), row)
            words.append(f"{chip}, {regime}: {', '.join(_in_words(row) for row in found)}")
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[1].tick_params(labelleft=False)
    key.above(figure, panels[1], [_key()])
    alt = f"Two panels of times less energy than {BASELINE} by accelerator: {'; '.join(words)}."
    caption = (
        f"The ladder of accelerators, energy of the same work over that on {BASELINE}. Squares: what others "
        "measured as energy (orange), or published as throughput, at rated power (dark red), with the least "
        "and the most over models. Dots: the fitted model at the facility, two models in equal parts, median "
        "and 90 % interval of what is not known (filled: weights in eight bits; open: in four bits on the "
        "newer chip; a chip that no fit has seen: by its published bandwidth, arithmetic and rated power). "
        f"Letters: the grade. {GRADES_IN_WORDS}"
    )
    return Drawing(figure, alt, caption)


def rows_of(tables: LeverTables, regime: str, chip: str) -> list[Row]:
    """Measured, then published, then the fitted model in eight and in four bits, against the baseline."""
    hardware = tables.hardware
    place = (hardware["chip"] == chip) & (hardware["regime"] == regime) & (hardware["baseline"] == BASELINE)
    others = hardware[place & ~hardware["basis"].isin(STATED)]
    others = others[~others["basis"].str.startswith(FITTED)]
    several = others["n_values"] > FEW  # beside which one or two values of one model say little
    others = others[several] if several.any() else others
    systems = tables.systems
    fitted = systems[
        (systems["group"] == "hardware")
        & (systems["system"] == chip)
        & (systems["regime"] == regime)
        & systems["basis"].str.startswith(FITTED)
    ]
    return [
        *records(others.sort_values("grade", kind="stable")),
        *records(fitted),
    ]


def _is_next(tables: LeverTables, chip: str) -> bool:
    found = [row for regime in style.REGIME_NAMES for row in rows_of(tables, regime, chip)]
    return chip != BASELINE and any(_is_fitted(row) for row in found)


def _is_fitted(row: Row) -> bool:
    return str(row["basis"]).startswith(FITTED)


def _four_bits(row: Row) -> bool:
    return f"in {FOUR_BITS} against" in str(row.get("compared", ""))


def _mark(ax: Axes, y: float, row: Row) -> None:
    if _is_fitted(row):
        points.ours(ax, y, row, filled=not _four_bits(row))
    else:
        points.others(ax, y, row)
    end: float = max(row[name] for name in ("p5", "p50", "p95") if pd.notna(row[name]))
    marks.label_direct(ax, float(end), y, str(row["grade"]), colour=style.MUTED, offset_pt=(4, 0))


def _in_words(row: Row) -> str:
    bits = ("four bits " if _four_bits(row) else "eight bits ") if _is_fitted(row) else ""
    return f"{bits}{row['basis']} {axes.band_text(row)} grade {row['grade']}"


def _key() -> list[tuple[list[Artist], str]]:
    return [
        (points.square_sample(points.COLOURS[MEASURED]), "measured energy"),
        (points.square_sample(points.OTHERWISE), "published throughput"),
        (points.sample(filled=True), "model, eight bits"),
        (points.sample(filled=False), "model, four bits"),
    ]
