"""Figures of water: others beside us, scenarios of sites, and the trade of a closed loop."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from pipeline.core.read import rows_where
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures
from pipeline.water.model.contract import DESIGNS

BLUE = style.MEANING["re_estimated"]
Row = Mapping[Hashable, Any]
Designs = dict[tuple[str, str], dict[Hashable, Any]]
USUAL_QUERY = {
    "variant": "production_lengths",
    "regime": "short",
    "subject": "blend",
    "basis": "consumption",
}
SPAN_ML = (0.001, 1000)  # a log axis has no zero
BOUNDS = ("lower bound", "upper bound")
PUBLISHED_PT = {"published, mL": 5.0, "ours, mL": 58.0}  # right of the axes
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
SCENARIO_NAMES = {
    "zero_water": "No evaporation on site",
    "published": "Microsoft, none to Americas",
    "microsoft_today": "Microsoft’s largest sites",
    "us_average": "Average in the United States",
    "google": "Google’s fleet",
    "world_average": "World average, surveyed",
    "hot_dry": "Hot and dry: Phoenix",
    "hydro_grid": "Grids with much hydropower",
}
PANELS = {"onsite": "a  On site", "total": "b  On site and in the electricity"}
SCENARIO_SPAN_ML, LEAST_ML = (0.0015, 50), 0.003  # what lies lower is an arrow
ON_SITE, ELECTRICITY = 0.85, 0.25  # opacity of the bars
HEIGHT, DESIGN_SHIFT = 0.34, 0.19
COLUMNS_PT = {"Wh: built to loop": 5.0, "Loop saves in": 56.0}  # right of the axes
SITES = [
    "azure_arizona",
    "azure_singapore",
    "azure_washington",
    "azure_illinois",
    "azure_texas",
    "azure_wyoming",
    "azure_virginia",
    "azure_iowa",
    "azure_netherlands",
    "azure_ireland",
]


@figure("fig-w1-published-waters", "Water per query by others and here", "double")
def published_waters(profile: Figures, prior_water_compared: pd.DataFrame) -> Drawing:
    """Rows of published waters on one log axis, ours below each."""
    drawn, ax = style.new_figure(profile, "double", 92)
    names: list[str] = []
    notes: list[str] = []
    words: list[str] = []
    for y, (name, keys) in enumerate(ROWS.items()):
        row, span = _theirs(prior_water_compared, keys[0])
        _their_marks(ax, y - SHIFT, row, span)
        names.append(name)
        notes.append("; ".join([SCOPES[row["scope"]], METHODS[row["method"]], *_ours_of(row)]))
        for x, text in zip(PUBLISHED_PT.values(), (_value(row, span), _ours_text(row)), strict=True):
            marks.row_cell(ax, y, x, text)
        if pd.notna(row["ours_p50_ml"]):
            low, middle, high = (row[f"ours_{p}_ml"] for p in ("p5", "p50", "p95"))
            marks.range_marks(ax, y + SHIFT, low, middle, high, BLUE)
        words.append(f"{name} ({notes[-1]}) {_value(row, span)}, ours {_ours_text(row)}")
    style.log_axis(ax, "x", *SPAN_ML, "Water per query (mL, log scale)")
    style.name_rows(ax, names, room=(0.7, 0.7))
    marks.row_names(ax, list(range(len(names))), names, notes)
    for head, x in PUBLISHED_PT.items():
        marks.column_head(ax, x, head)
    marks.key(
        ax,
        [
            (marks.printed_sample(), "published, with its range"),
            (marks.bound_sample(style.INK), "published, at least or at most"),
            (marks.range_sample(BLUE), "ours, same water"),
        ],
    )
    alt = f"{len(names)} published waters per query on a log axis, ours below: {'; '.join(words)} mL."
    caption = (
        "Water per query, as others publish it and ours, mL, log scale. Open diamond: what others publish; "
        "line: its range; arrow: "
        "where the value may lie, if only a bound is published. Below, ours for the same water "
        "(dot: our median query, line: 90 % interval). Ours, unless a row says more: "
        "chat queries to the published blend; real traffic, at the source's own site "
        "where it names one, else at Microsoft's largest sites. None of ours is as small as the models of "
        "Jegham et al., which have at most 8 B parameters or no published size: beside them stands the "
        "smallest of ours, with the queries whose answers are as long. On the right: mL. "
        "The lower end of the blog is 0. A life cycle, with manufacture, has no counterpart "
        "here. Sources differ in what they serve, not only in how they count."
    )
    values = [_shown(_theirs(prior_water_compared, keys[0])[0]) for keys in ROWS.values()]
    spread = max(values) / min(value for value in values if value > 0)
    text = f"Published waters differ {float(f'{spread:.1g}'):,.0f}-fold: they count different waters"
    says = finding((spread > 10, text))
    return Drawing(drawn, alt, caption, says)


def _their_marks(ax: Axes, y: float, row: Row, span: tuple[float, float]) -> None:
    """A value with its range, a bound, or a range without a value."""
    low, high = span
    if row["interval"] in BOUNDS:
        marks.bound(ax, y, _shown(row), upper=row["interval"] == BOUNDS[1], colour=style.INK)
        return
    if pd.isna(row["value_ml"]):
        marks.bound(ax, y, high, upper=True, colour=style.INK)
        return
    if high > low:
        ax.plot(span, [y] * 2, color=style.INK, linewidth=style.HAIR_PT, zorder=3, gid=marks.DATA)
    marks.printed_marks(ax, y, _shown(row), *(span if high > low else ()))


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
        return f"> {formats.significant(row['low_ml'])}"
    if row["interval"] == "upper bound":
        return f"< {formats.significant(row['high_ml'])}"
    if pd.isna(row["value_ml"]):
        return f"{formats.significant(row['low_ml'])}–{formats.significant(row['high_ml'])}"
    if span[1] > span[0]:
        return formats.interval(row["value_ml"], *span)
    return formats.significant(row["value_ml"])


def _ours_text(row: Row) -> str:
    if pd.isna(row["ours_p50_ml"]):
        return "–"
    return formats.band(row, "ours_{}_ml")


@figure("fig-w2-water-scenarios", "Water per query by scenario of sites", "double")
def by_scenario(profile: Figures, water_split: pd.DataFrame) -> Drawing:
    """Two panels of the same rows."""
    drawn, panels = style.new_figure(profile, "double", 66, columns=2, sharey=True)
    words = []
    on_site = rows_where(water_split, **USUAL_QUERY, scope="onsite").sort_values("median_p50_ml")
    names = [str(name) for name in on_site["site_scenario"] if name in SCENARIO_NAMES]
    for ax, (scope, title) in zip(panels, PANELS.items(), strict=True):
        chosen = rows_where(water_split, **USUAL_QUERY, scope=scope)
        rows = {row["site_scenario"]: row for row in chosen.to_dict("records")}
        style.log_axis(ax, "x", *SCENARIO_SPAN_ML, "Water per query (mL, log scale)")
        style.name_rows(ax, [SCENARIO_NAMES[name] for name in names])
        for y, name in enumerate(names):
            _scenario(ax, y, rows[name])
        style.panel_title(ax, title)
        words.append(f"{title[3:]}: " + ", ".join(f"{SCENARIO_NAMES[n]} {_text(rows[n])}" for n in names))
    panels[1].tick_params(labelleft=False)
    alt = f"Water of the median chat query by scenario of sites, mL. {'; '.join(words)}."
    caption = (
        "Water consumed for the median chat query to the published blend in real traffic, by place, log "
        "scale. Dot: median; line: 90 % interval (energy, "
        "which of the scenario's sites, its water and that of its electricity); arrow: down to less. Beside "
        "each its numbers, mL. "
        "Sites without evaporation use no water on site (0, not shown on the log axis)."
    )
    place = rows_where(water_split, **USUAL_QUERY, scope="onsite").set_index("site_scenario")["median_p50_ml"]
    least, most = place[place > 0].min(), place.max()
    ends = f"{formats.significant(least)} to {formats.significant(most)} mL"
    says = finding((most > 3 * least, f"Water on site depends on the place: {ends}"))
    return Drawing(drawn, alt, caption, says)


def _scenario(ax: Axes, y: float, row: Mapping[Hashable, Any]) -> None:
    low, middle, high = (float(row[f"median_{p}_ml"]) for p in ("p5", "p50", "p95"))
    if high > 0:
        marks.range_marks(ax, y, max(low, LEAST_ML), middle, high, BLUE)
        if low < LEAST_ML:
            marks.bound(ax, y, LEAST_ML, upper=True, colour=BLUE)
    at = high if high > 0 else LEAST_ML
    marks.label_direct(ax, at, y, _text(row), colour=style.MUTED)


def _text(row: Mapping[Hashable, Any]) -> str:
    low, middle, high = (float(row[f"median_{p}_ml"]) for p in ("p5", "p50", "p95"))
    return formats.interval(middle, low, high) if high > 0 else "0"


@figure("fig-w3-closed-loop", "What a closed loop saves on site and costs in electricity", "double")
def closed_loop(profile: Figures, water_sites: pd.DataFrame) -> Drawing:
    """Two bars a site: as built, and with a closed loop; on-site part first, electricity after it."""
    drawn, ax = style.new_figure(profile, "double", 96)
    table: Designs = {(row["site"], row["design"]): row for row in water_sites.to_dict("records")}
    words = []
    for y, site in enumerate(SITES):
        for design, shift in zip(DESIGNS, (-DESIGN_SHIFT, DESIGN_SHIFT), strict=True):
            _bar(ax, y + shift, table[site, design])
        built, closed = (table[site, design] for design in DESIGNS)
        cells = (
            f"{formats.significant(built['p50_wh'])} to {formats.significant(closed['p50_wh'])}",
            f"{100 * closed['saves_water_share']:.0f} % of cases",
        )
        for x, text in zip(COLUMNS_PT.values(), cells, strict=True):
            marks.row_cell(ax, y, x, text)
        words.append(
            f"{built['name']} {formats.significant(built['p50_total_ml'])} to "
            f"{formats.significant(closed['p50_total_ml'])}"
        )
    style.name_rows(ax, [table[site, DESIGNS[0]]["name"] for site in SITES], room=(0.75, 0.6))
    highest = float(water_sites.loc[water_sites["site"].isin(SITES), "p50_total_ml"].max())
    ax.set(xlim=(0, 1.12 * highest), xlabel="Water of the median chat query (mL)")
    ax.grid(axis="x")
    for head, x in COLUMNS_PT.items():
        marks.column_head(ax, x, head)
    marks.key(ax, [(marks.patch_sample(BLUE, ON_SITE), "on site"),
                 (marks.patch_sample(BLUE, ELECTRICITY), "in the electricity"),
                 ([Rectangle((0, 0), *marks.SIZE_PT, **_hatch())], "with a closed loop")])  # fmt: skip
    widest = water_sites["p95_total_ml"] / water_sites["p50_total_ml"]
    alt = f"Pairs of bars by site, water as built and with a closed loop, mL: {', '.join(words)}."
    caption = (
        "Water of the median chat query at Microsoft's sites, mL, linear scale. Upper bar: as built; lower, "
        "hatched: no evaporation and a PUE higher by 0 to 0.10. Dark: water on site; light: water of the "
        "electricity. Medians, lengths of production; energy and the factors of water, which both "
        "bars share, put the upper end of the 90 % interval of a total at "
        f"{widest.median():.1f} times the bar. On the right: energy at the facility, as built and with the "
        "loop, and how often the loop takes less water in all. Where a site takes little, a "
        "closed loop can cost more water at the power station than it saves."
    )
    loops = water_sites[water_sites["site"].isin(SITES) & (water_sites["design"] == DESIGNS[1])]
    saving = int((loops["saves_water_share"] > 0.5).sum())
    text = f"A closed loop likely saves water at {saving} of {len(loops)} sites"
    says = finding((saving > 0, text))
    return Drawing(drawn, alt, caption, says)


def _bar(ax: Axes, y: float, row: Mapping[Hashable, Any]) -> None:
    left = 0.0
    for part, alpha in (("onsite", ON_SITE), ("offsite", ELECTRICITY)):
        width = float(row[f"p50_{part}_ml"])
        look: dict[str, Any] = {"facecolor": BLUE, "alpha": alpha, "linewidth": 0, "gid": marks.DATA}
        ax.add_patch(Rectangle((left, y - HEIGHT / 2), width, HEIGHT, zorder=2, **look))
        left += width
    if row["design"] == DESIGNS[1]:
        ax.add_patch(Rectangle((0, y - HEIGHT / 2), left, HEIGHT, **_hatch(), zorder=2.5))


def _hatch() -> dict[str, Any]:
    return {"facecolor": "none", "edgecolor": BLUE, "hatch": "////", "linewidth": 0}
