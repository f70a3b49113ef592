"""Energy per query, measured against predicted at the same boundary."""

from pipeline.assumptions.figures import Figures
from pipeline.present import key, style
from pipeline.present.figures.validation import scatter
from pipeline.present.figures.validation.scatter import Points
from pipeline.present.figures.validation.tables import CHAT, ENERGY, ValidationTables, wh_per_query
from pipeline.present.save import Drawing


def fig_energy_measured(tables: ValidationTables, profile: Figures) -> Drawing:
    """Accelerators: held-out chat rows, single queries; servers: MLPerf wall power, DeepSeek's bound."""
    figure, ax = style.new_figure(profile, "single", 92)
    sets = point_sets(tables)
    scatter.draw(ax, sets, "energy per query (Wh)")
    for start, lift in ((0, 22.0), (1, 13.0), (3, 4.0)):
        stop = {0: 1, 1: 3, 3: 4}[start]
        key.key(ax, [(s.sample(), s.name) for s in sets[start:stop]], lift_pt=lift)
    words = scatter.in_words(sets)
    alt = f"Predicted against measured energy per query at equal boundary; median |ln error|: {words}."
    caption = (
        f"Energy per query, predicted against measured at the same boundary; median |ln error| {words}. "
        "Chat: accelerators, all rows of the model left out of the fit. MLPerf: whole servers at the wall, "
        "throughput not fitted and the server's fit without runs of the model. Open marks are bounds, no "
        "match is expected: single queries on another engine, and DeepSeek's nodes at rated power. Solid: "
        "equality; dashed: a factor of 1.5."
    )
    return Drawing(figure, alt, caption)


def point_sets(tables: ValidationTables) -> list[Points]:
    """Two boundaries: accelerators, then servers."""
    unseen = tables.unseen(CHAT, ENERGY)
    tokens = unseen["output_tokens"]
    chat = Points(
        "chat, accelerators, one model left out",
        wh_per_query(unseen["measured"], tokens),
        wh_per_query(unseen["predicted_p50"], tokens),
        "o",
        style.MEANING["re_estimated"],
        True,
        0.7,
        4.0,
    )
    wall = tables.of_set("mlperf_wall_power", "node_j_per_output_token")
    single = tables.of_set("ai_energy_score", ENERGY)
    fleet = tables.of_set("deepseek_fleet", "node_wh_per_1000_output_tokens")
    servers = Points(
        "MLPerf, servers",
        wh_per_query(wall["measured"], wall["output_tokens"]),
        wh_per_query(wall["p50"], wall["output_tokens"]),
        "s",
        style.MEANING["measured"],
        True,
        1.0,
        9.0,
    )
    singles = Points(
        "single queries, accelerators",
        wh_per_query(single["measured"], single["output_tokens"]),
        wh_per_query(single["p50"], single["output_tokens"]),
        "^",
        style.MUTED,
        False,
        1.0,
        7.0,
    )
    deepseek = Points(
        "DeepSeek's fleet, servers at rated power",
        (fleet["measured"] * fleet["output_tokens"] / 1000.0).to_numpy(float),
        (fleet["p50"] * fleet["output_tokens"] / 1000.0).to_numpy(float),
        "D",
        style.INK,
        False,
        1.0,
        8.0,
    )
    return [chat, servers, singles, deepseek]
