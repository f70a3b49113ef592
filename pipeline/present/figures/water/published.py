"""Waters per query that others publish, each beside ours for the same water at the same kind of site."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.water.tables import WaterTables
from pipeline.present.save import Drawing

BLUE = style.MEANING["re_estimated"]
Row = Mapping[Hashable, Any]
SPAN_ML = (0.01, 300)  # a log axis has no zero
SHIFT = 0.17  # of theirs above and ours below the middle of a row
# What is shown, by rows of prior_water.csv; the first of several gives the value, all give the line.
ROWS = {
    "Microsoft blog, typical query": ["microsoft_blog"],
    "Google, median Gemini prompt": ["google_gemini"],
    "OpenAI, average ChatGPT query": ["openai_altman"],
    "Sharma et al., short Gemini prompt": ["sharma_short"],
    "Li et al., GPT-3, 18 sites": ["li_"],
    "Jegham et al., small models, long prompt": ["jegham6_small"],
    "Jegham et al., DeepSeek-R1 on Azure": ["jegham6_r1_azure"],
    "Jegham et al., DeepSeek-R1 at DeepSeek": ["jegham6_r1_deepseek"],
    "Mistral, reply of 400 tokens": ["mistral_lca"],
}
USUAL = "blend, short"
FIRST = {"li_": "li_u_s_average"}
SCOPES = {
    "onsite": "on site",
    "total": "on site and electricity",
    "life cycle": "life cycle",
    "not-stated": "not said which water",
}
METHODS = {
    "measured-production": "measured energy",
    "statement": "stated",
    "bottom-up-model": "modelled",
    "life-cycle-assessment": "life-cycle assessment",
}


def fig_published_waters(tables: WaterTables, profile: Figures) -> Drawing:
    """Rows of published waters on one log axis, ours below each."""
    figure, ax = style.new_figure(profile, "double", 92)
    names: list[str] = []
    notes: list[str] = []
    texts: list[str] = []
    words: list[str] = []
    for y, (name, keys) in enumerate(ROWS.items()):
        row, span = _theirs(tables.prior, keys[0])
        marks.printed_marks(ax, y - SHIFT, _shown(row), *(span if span[1] > span[0] else ()))
        ax.plot(span, [y - SHIFT] * 2, color=style.INK, linewidth=style.HAIR_PT, zorder=3, gid=marks.DATA)
        names.append(name)
        notes.append("; ".join([SCOPES[row["scope"]], METHODS[row["method"]], *_ours_of(row)]))
        texts.append(f"{_value(row, span)}  |  {_ours_text(row)}")
        if pd.notna(row["ours_p50_ml"]):
            low, middle, high = (row[f"ours_{p}_ml"] for p in ("p5", "p50", "p95"))
            marks.range_marks(ax, y + SHIFT, low, middle, high, BLUE)
        words.append(f"{name} ({notes[-1]}) {_value(row, span)}, ours {_ours_text(row)}")
    axes.log_axis(ax, "x", *SPAN_ML, "Water per query (mL, log scale)")
    axes.name_rows(ax, names, room=(0.7, 0.7))
    marks.row_names(ax, list(range(len(names))), names, notes)
    marks.row_texts(ax, [-0.75, *range(len(names))], ["published  |  ours (mL)", *texts])
    key.key(ax, [(key.printed_sample(), "published, with its range"), (_sample(), "ours, same water")])
    alt = f"{len(names)} published waters per query on a log axis, ours below: {'; '.join(words)} mL."
    caption = (
        "Water per query as others publish it (open diamond, line: its range) and ours for the same water "
        "(dot: our median query, line: 90 % interval of what is not known). Ours, unless a row says more: "
        "short queries to models above 200 B parameters; lengths of production, at the source's own site "
        "where it names one, else at Microsoft's largest sites. None of ours is as small as the models of "
        "Jegham et al., which have at most 8 B parameters or no published size: beside them stands the "
        "smallest of ours, with the queries whose answers are as long. On the right: published, "
        "then ours, mL. The lower end of the blog is 0. A life cycle, with manufacture, has no counterpart "
        "here. Sources differ in what they serve, not only in how they count."
    )
    return Drawing(figure, alt, caption)


def _ours_of(row: Row) -> list[str]:
    """What of ours stands beside it, where that is not a short query to the blend."""
    return [] if pd.isna(row["ours_of"]) or row["ours_of"] == USUAL else [f"ours: {row['ours_of']}"]


def _theirs(prior: pd.DataFrame, name: str) -> tuple[Row, tuple[float, float]]:
    """The row that stands for a source, and the ends of its range (twice the value where it has none)."""
    rows = {row["key"]: row for row in prior.to_dict("records") if row["key"].startswith(name)}
    if name in FIRST:
        values = [row["value_ml"] for row in rows.values()]
        return rows[FIRST[name]], (min(values), max(values))
    return rows[name], (max(_low(rows[name]), SPAN_ML[0]), _high(rows[name]))


def _low(row: Row) -> float:
    return float(row["low_ml"] if pd.notna(row["low_ml"]) else row["value_ml"])


def _high(row: Row) -> float:
    return float(row["high_ml"] if pd.notna(row["high_ml"]) else row["value_ml"])


def _shown(row: Row) -> float:
    return float(row["value_ml"]) if pd.notna(row["value_ml"]) else float(row["high_ml"])


def _value(row: Row, span: tuple[float, float]) -> str:
    if row["interval"] == "lower bound":
        return f"> {axes.significant(row['low_ml'])}"
    if row["interval"] == "upper bound":
        return f"< {axes.significant(row['high_ml'])}"
    if pd.isna(row["value_ml"]):
        return f"{axes.significant(row['low_ml'])}–{axes.significant(row['high_ml'])}"
    if span[1] > span[0]:
        return axes.interval(row["value_ml"], *span)
    return axes.significant(row["value_ml"])


def _ours_text(row: Row) -> str:
    if pd.isna(row["ours_p50_ml"]):
        return "–"
    low, middle, high = (row[f"ours_{p}_ml"] for p in ("p5", "p50", "p95"))
    return axes.interval(middle, low, high)


def _sample() -> list[Artist]:
    look: dict[str, Any] = {"color": BLUE}
    line = Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, linewidth=style.LINE_PT, **look)
    dot = Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], marker="o", markersize=marks.DOT_PT, **look)
    return [line, dot]
