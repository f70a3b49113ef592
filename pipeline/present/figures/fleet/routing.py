"""Energy over the share that a small model takes: two pairs of models, and routers."""

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.contracts.routing import PAIRS
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.fleet.tables import FleetTables
from pipeline.present.save import Drawing

COLOURS = dict(zip(PAIRS, (style.MEANING["re_estimated"], style.MEANING["modelled"]), strict=True))
PAIR_NAMES = dict(
    zip(PAIRS, ("open models", "gpt-5 and gpt-5-nano, sizes as others assume them"), strict=True)
)
MEASURED = style.MEANING["measured"]
CLAIM = (5.0, 10.0)
BAND_ALPHA = 0.16
GAINS = (1, 2, 5, 10)
HEIGHT_MM = 74.0


def fig_routing(tables: FleetTables, profile: Figures) -> Drawing:
    """Energy in per cent of that of the large model alone, over the share of the small one."""
    figure, panels = style.new_figure(profile, "double", HEIGHT_MM, columns=2, sharey=True)
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        _panel(ax, tables, regime)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[0].set_ylabel("Energy of a query (% of the large model alone)")
    panels[1].tick_params(labelleft=False)
    _gains(panels[1])
    lines = _key()
    for i, entries in enumerate(lines):
        key.key(panels[1], entries, lift_pt=14 + 9 * (len(lines) - 1 - i))
        panels[1].artists[-1].set_in_layout(False)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 1 - 22 / (HEIGHT_MM / 25.4 * 72)))
    words = "; ".join(in_words(tables, regime) for regime in style.REGIME_NAMES)
    routers = ", ".join(
        f"{row['router']} on {row['benchmark']} {100 * row['share_small']:.0f} %"
        + (" of cost, taken as the share" if row["share_basis"] == "cost reduction" else "")
        for row in tables.routers.to_dict("records")
    )
    alt = (
        f"Two panels of energy falling in a line with the share of queries that a small model takes: {words}."
    )
    caption = (
        "Energy of a query over the share that a small model takes, in per cent of all to the large one; "
        "at both ends there is no router. Lines: medians, with the 90 % interval of what is not known. "
        "Grey: 5 to 10 times less. Dots: what a commercial router chose for about 1,000 prompts in each "
        "of three profiles, at the share of the smallest models; the horizontal line reaches to the "
        "share with middle models; the vertical one is the 90 % interval of its energy. The prompts were "
        "those of a chat; panel b supposes the same choices. Sizes of closed models are not published: "
        "these are ranges that others assume, and every model is taken to write the same number of "
        "tokens. Triangles: shares of published routers at 95 to 100 % of the large model's quality, "
        f"each on its own benchmark of short answers ({routers}); none was measured on long ones."
    )
    return Drawing(figure, alt, caption)


def in_words(tables: FleetTables, regime: str) -> str:
    """Gains of the profiles, and the share that five and ten times need."""
    rows = tables.profiles[tables.profiles["regime"] == regime]
    gains = [f"{r['profile']} {axes.interval(r['p50'], r['p5'], r['p95'])}" for r in rows.to_dict("records")]
    needed = tables.needed[(tables.needed["regime"] == regime) & (tables.needed["pair"] == PAIRS[0])]
    shares = [
        f"{r['gain']:.0f} times needs {100 * r['share_p50']:.0f} %"
        for r in needed.to_dict("records")
        if r["gain"] in CLAIM
    ]
    name = style.REGIME_NAMES[regime].split(" (")[0].lower()
    return f"{name}: gains {', '.join(gains)}; with open models {', '.join(shares)}"


def _panel(ax: Axes, tables: FleetTables, regime: str) -> None:
    ax.axhspan(100 / CLAIM[1], 100 / CLAIM[0], color=style.GRID, linewidth=0, zorder=0.1)
    for pair, colour in COLOURS.items():
        rows = tables.curve[(tables.curve["regime"] == regime) & (tables.curve["pair"] == pair)]
        share = 100 * rows["share_small"]
        low, middle, high = (100 / rows[name] for name in ("p95", "p50", "p5"))
        ax.fill_between(
            share, low, high, color=colour, alpha=BAND_ALPHA, linewidth=0, zorder=1, gid="density"
        )
        ax.plot(share, middle, color=colour, linewidth=style.LINE_PT, zorder=2, gid=marks.DATA)
    for row in tables.profiles[tables.profiles["regime"] == regime].to_dict("records"):
        _profile(ax, row)
    routers = tables.routers[tables.routers["regime"].isin([regime, "both"])]
    shares = 100 * routers["share_small"]
    look: dict[str, Any] = {"color": style.INK, "linestyle": "none", "markersize": 3.2, "gid": marks.DATA}
    ax.plot(shares, [1.6] * len(shares), "^", markeredgewidth=0, zorder=3, **look)
    ax.set(xlim=(0, 102), ylim=(0, 108), xlabel="Share of queries to the small model (%)")
    ax.set_xticks([0, 20, 40, 60, 80, 100])
    ax.set_yticks([0, 20, 40, 60, 80, 100])


def _profile(ax: Axes, row: dict[Any, Any]) -> None:
    """A profile of the router: its energy, and the shares of small and of small and middle models."""
    small, middle = 100 * row["share_small"], 100 * (row["share_small"] + row["share_middle"])
    low, value, high = (100 / row[name] for name in ("p95", "p50", "p5"))
    thin: dict[str, Any] = {"color": MEASURED, "linewidth": style.LINE_PT, "gid": marks.DATA, "zorder": 4}
    ax.plot([small, middle], [value, value], **thin)
    ax.plot([small, small], [low, high], **thin)
    edge: dict[str, Any] = {"markeredgecolor": style.PAPER, "markeredgewidth": 0.6, "gid": marks.DATA}
    ax.plot([small], [value], "o", color=MEASURED, markersize=marks.DOT_PT + 1, zorder=5, **edge)
    # Where the lines leave room: left of the middle profile, above and below the outer ones.
    places: dict[str, tuple[float, dict[str, Any]]] = {
        "quality": (low, {"ha": "center", "va": "top", "offset_pt": (0.0, -2.0)}),
        "balanced": (value, {"ha": "right", "offset_pt": (-5.0, 0.0)}),
        "cost": (high, {"ha": "center", "va": "bottom", "offset_pt": (0.0, 5.0)}),
    }
    y, beside = places[row["profile"]]
    marks.label_direct(ax, small, y, row["profile"], MEASURED, **beside)


def _gains(ax: Axes) -> None:
    """The same axis read as times less energy, on the right."""
    twin = ax.secondary_yaxis("right")
    twin.set_yticks([100 / gain for gain in GAINS], labels=[f"{gain}×" for gain in GAINS])
    twin.set_ylabel("Times less energy")
    twin.tick_params(length=2.5, color=style.RULE)
    twin.spines["right"].set_visible(True)


def _key() -> list[list[tuple[list[Artist], str]]]:
    pairs: list[tuple[list[Artist], str]] = [
        ([*key.patch_sample(colour, BAND_ALPHA), *key.outline_sample(colour)], PAIR_NAMES[pair])
        for pair, colour in COLOURS.items()
    ]
    dot = Line2D(
        [key.SIZE_PT[0] / 2], [key.MIDDLE_PT], marker="o", color=MEASURED, markersize=marks.DOT_PT + 1
    )
    triangle = Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], marker="^", color=style.INK, markersize=3.2)
    return [
        pairs,
        [
            ([dot], "profiles of a commercial router"),
            ([triangle], "published routers"),
            (key.patch_sample(style.GRID), "5 to 10 times less"),
        ],
    ]
