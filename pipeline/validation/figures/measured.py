"""Predicted against measured: throughput, energy per query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from pipeline.core.units import JOULES_PER_WH
from pipeline.ingest.sources import with_role
from pipeline.report import marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

STEP_MODEL = "step model"
ENERGY, RATE = "gpu_j_per_output_token", "output_tokens_per_s"
CHAT, SATURATED = "chat", "saturated"  # checks that sources serve
BLUE = style.MEANING["re_estimated"]
FORMS = {
    STEP_MODEL: "step model (ours)",
    "pooled linear": "pooled, linear in logs",
    "pooled quadratic": "pooled, quadratic in logs",
    "additive": "additive in tokens (ours)",
    "log-quadratic": "log-quadratic",
    "capped": "log-linear, capped",
    "log-linear": "log-linear (published)",
}
LEFT_OUT = {"model": "one model left out", "cell": "one cell left out"}
BLOCK_APART = 0.4  # of a row
ROW_MM, AROUND_MM = 5.0, 30.0
ROOM_BELOW = 0.9  # of the least value, so that its mark is whole


@dataclass(frozen=True)
class Points:
    """One set: name, measured and predicted values, marker, colour, filled or open, size, opacity."""

    name: str
    measured: pd.Series
    predicted: pd.Series
    marker: str
    colour: str
    filled: bool = True
    size_pt2: float = 7.0
    alpha: float = 1.0

    def in_words(self) -> str:
        """`Name 0.12 (328 rows)`: the median of |ln(measured / predicted)|."""
        error = float(np.median(np.abs(np.log(self.measured / self.predicted))))
        return f"{self.name} {error:.2f} ({len(self.measured):,} rows)"

    def sample(self) -> marks.Sample:
        """The mark in small, and its name, for the key."""
        face = self.colour if self.filled else "none"
        edge: dict[str, Any] = {
            "markeredgecolor": self.colour,
            "markeredgewidth": 0.6,
            "markerfacecolor": face,
        }
        return marks.mark_sample(self.marker, self.size_pt2**0.5 + 1, color="none", **edge), self.name


def scatter(ax: Axes, sets: Sequence[Points], label: str) -> None:
    """All sets, the line of equality and, dashed, factors of 1.5 on either side."""
    values = np.concatenate([np.r_[points.measured, points.predicted] for points in sets])
    low, high = style.decade_span([float(values.min()) * ROOM_BELOW, float(values.max()) / ROOM_BELOW])
    ends = np.array([low, high])
    ax.plot(ends, ends, color=style.MUTED, linewidth=0.7, zorder=0.8, gid="reference")
    for factor in (1.5, 1 / 1.5):
        dashed: dict[str, Any] = {"color": style.RULE, "linewidth": 0.6, "dashes": (3, 2), "zorder": 0.7}
        ax.plot(ends, ends * factor, gid="reference", **dashed)
    for points in sets:
        sns.scatterplot(
            x=points.measured.to_numpy(),
            y=points.predicted.to_numpy(),
            s=points.size_pt2,
            marker=points.marker,
            facecolor=points.colour if points.filled else "none",
            edgecolor="none" if points.filled else points.colour,
            linewidth=0.6,
            alpha=points.alpha,
            zorder=2,
            gid=marks.DATA,
            ax=ax,
        )
    style.log_axis(ax, "x", low, high, f"Measured {label}")
    style.log_axis(ax, "y", low, high, f"Predicted {label}")
    ax.set_aspect("equal")


def unseen(held_out: pd.DataFrame, comparison: pd.DataFrame, rows: str, quantity: str) -> pd.DataFrame:
    """Held-out predictions of the chosen forms, each model predicted without its rows."""
    chosen = comparison.loc[comparison["chosen"] == "yes", "form"].unique()
    return held_out[
        (held_out["rows"] == rows)
        & (held_out["left_out"] == "model")
        & (held_out["quantity"] == quantity)
        & held_out["form"].isin(chosen)
    ]


def of_set(validation: pd.DataFrame, name: str, quantity: str) -> pd.DataFrame:
    """The rows of one set of the validation."""
    return validation[(validation["set"] == name) & (validation["quantity"] == quantity)]


@figure("fig-r1-throughput", "Throughput, predicted against measured", "double")
def throughput(
    profile: Figures,
    model_comparison: pd.DataFrame,
    heldout_predictions: pd.DataFrame,
    validation: pd.DataFrame,
    sources: pd.DataFrame,
) -> Drawing:
    """Left: held out and external rows. Right: median and 90th percentile of the error of each form."""
    chat, saturated = titles(sources)
    errors = candidates(model_comparison, chat, saturated)
    height = AROUND_MM + ROW_MM * len(errors)
    drawn, (left, right) = style.new_figure(profile, "double", height, columns=2, width_ratios=[1.15, 1])
    sets = []
    for rows, colour, alpha, size in ((saturated, style.RULE, 0.6, 2.5), (chat, BLUE, 0.75, 4.0)):
        found = unseen(heldout_predictions, model_comparison, rows, RATE)
        points = Points(rows, found["measured"], found["predicted_p50"], "o", colour, True, size, alpha)
        sets.append(points)
    for name, words, marker in (
        ("mlperf_offline", "MLPerf Offline", "s"),
        ("online_serving", "online serving", "^"),
    ):
        found = of_set(validation, name, RATE)
        sets.append(Points(words, found["measured"], found["p50"], marker, style.INK, filled=False))
    scatter(left, sets, "output tokens/s (log scale)")
    style.panel_title(left, "a  Predicted against measured")
    for part, lift in ((sets[:2], 20), (sets[2:], 11)):
        marks.key(left, [points.sample() for points in part], lift_pt=lift)
    draw_candidates(right, errors)
    style.panel_title(right, "b  Error of each form, held out")
    best = "; ".join(f"{r.form}, {r.left_out}: {r.median_abs_ln_error:.2f}" for r in errors.itertuples())
    words = f"median |ln error|: {'; '.join(points.in_words() for points in sets)}"
    alt = (
        f"Left: predicted against measured output tokens per second; {words}. "
        f"Right: median |ln error| of each form of the throughput model: {best}."
    )
    caption = (
        "Output tokens per second, predicted and measured, log scales. "
        f"(a) Predictions of rows that were not fitted; {words}. {chat} and {saturated} "
        "rows: all rows of the model left out of the fit; MLPerf Offline and online serving: never fitted. "
        "Solid: equality; dashed: a factor of 1.5. (b) Dot: median of |ln error|; line: up to the 90th "
        "percentile."
    )
    new = errors[(errors["rows"] == chat) & (errors["left_out"] == "model")].set_index("form")[
        "median_abs_ln_error"
    ]
    off = np.expm1(new[STEP_MODEL])
    text = f"Half of the throughputs never seen are predicted within {100 * off:.0f} %"
    says = finding((off < 1, text))
    return Drawing(drawn, alt, caption, says)


def titles(sources: pd.DataFrame) -> tuple[str, str]:
    """Of the source whose chat is checked, and of that of saturated throughput, of those that are fitted."""
    fitted = with_role(sources, "step")
    chat, saturated = (with_role(fitted, check)["title"].iloc[0] for check in (CHAT, SATURATED))
    return chat, saturated


def candidates(comparison: pd.DataFrame, chat: str, saturated: str) -> pd.DataFrame:
    """Throughput forms: both sources with one model left out, saturated tables with one cell left out."""
    rows = comparison[
        (comparison["quantity"] == RATE)
        & comparison["form"].isin(list(FORMS))
        & (
            ((comparison["rows"] == chat) & (comparison["left_out"] == "model"))
            | ((comparison["rows"] == saturated) & comparison["left_out"].isin(["model", "cell"]))
        )
    ]
    order = ["rows", "left_out", "median_abs_ln_error"]
    return rows.sort_values(order, ascending=[True, False, True], ignore_index=True)


def draw_candidates(ax: Axes, errors: pd.DataFrame) -> None:
    """One row a form, in blocks by what was left out; each block has a row more, for its name."""
    block = errors.groupby(["rows", "left_out"], sort=False).ngroup()
    ys = np.arange(len(errors)) + 1 + (1 + BLOCK_APART) * block.to_numpy()
    long = errors.assign(y=ys).melt(["y", "form"], ["median_abs_ln_error", "p90_abs_ln_error"])
    colours = {True: BLUE, False: style.MEANING["as_published"]}
    sns.pointplot(
        long.assign(ours=long["form"] == STEP_MODEL),
        x="value",
        y="y",
        hue="ours",
        palette=colours,
        orient="h",
        native_scale=True,
        estimator="min",
        errorbar=("pi", 100),
        err_kws={"linewidth": style.LINE_PT, "zorder": 2, **marks.FLAT},
        linestyle="none",
        legend=False,
        gid=marks.DATA,
        zorder=3,
        **marks.SEABORN_DOT,
        ax=ax,
    )
    ax.set_yticks(ys, labels=[FORMS[form] for form in errors["form"]])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(xlim=(0, 1.1), ylim=(ys[-1] + 0.8, -0.6), xlabel="|ln(measured / predicted)|", ylabel="")
    ax.grid(axis="x")
    for at, rows, left_out in zip(ys - 1, errors["rows"], errors["left_out"], strict=True):
        if at + 1 in ys[block.drop_duplicates().index]:
            words: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED, "va": "center"}
            label = f"{rows}, {LEFT_OUT[left_out]}"
            ax.annotate(label, (0, at), xycoords=("axes fraction", "data"), ha="left", **words)


@figure("fig-r4-energy-measured", "Energy per query, predicted against measured", "single")
def energy_measured(
    profile: Figures,
    model_comparison: pd.DataFrame,
    heldout_predictions: pd.DataFrame,
    validation: pd.DataFrame,
    sources: pd.DataFrame,
) -> Drawing:
    """Accelerators: held-out chat rows, single queries; servers: MLPerf wall power, DeepSeek's bound."""
    chat = unseen(heldout_predictions, model_comparison, titles(sources)[0], ENERGY)
    chat = chat.rename(columns={"predicted_p50": "p50"})
    wall = of_set(validation, "mlperf_wall_power", "node_j_per_output_token")
    single = of_set(validation, "ai_energy_score", ENERGY)
    fleet = of_set(validation, "deepseek_fleet", "node_wh_per_1000_output_tokens")
    named = "chat, accelerators, model left out"
    sets = [
        Points(named, *_of_query(chat), "o", BLUE, size_pt2=4.0, alpha=0.7),
        Points("MLPerf, servers", *_of_query(wall), "s", style.MEANING["measured"], size_pt2=9.0),
        Points("single queries, accelerators", *_of_query(single), "^", style.MUTED, filled=False),
        Points(
            "DeepSeek's fleet, servers at rated power",
            *_of_query(fleet, wh=1 / 1000),
            "v",
            style.INK,
            filled=False,
            size_pt2=8.0,
        ),
    ]
    drawn, ax = style.new_figure(profile, "single", 96)
    scatter(ax, sets, "energy per query (Wh, log scale)")
    for part, lift in ((sets[:1], 22.0), (sets[1:3], 13.0), (sets[3:], 4.0)):
        marks.key(ax, [points.sample() for points in part], lift_pt=lift)
    words = "; ".join(points.in_words() for points in sets)
    alt = f"Predicted against measured energy per query at equal boundary; median |ln error|: {words}."
    caption = (
        f"Energy per query, predicted against measured at the same boundary, log scales. Median |ln error|: "
        f"{words}. "
        "Chat: accelerators, all rows of the model left out of the fit. MLPerf: whole servers at the wall, "
        "throughput not fitted and the server's fit without runs of the model. Open marks are bounds, no "
        "match is expected: single queries on another engine, and DeepSeek's nodes at rated power. Solid: "
        "equality; dashed: a factor of 1.5."
    )
    off = np.expm1(np.median(np.abs(np.log(sets[0].measured / sets[0].predicted))))
    text = f"Half of the energies never seen are predicted within {100 * off:.0f} %"
    says = finding((off < 1, text))
    return Drawing(drawn, alt, caption, says)


def _of_query(rows: pd.DataFrame, wh: float = 1 / JOULES_PER_WH) -> tuple[pd.Series, pd.Series]:
    """Measured and predicted energy of a query of so many output tokens, Wh; `wh` of a row's unit a token."""
    return rows["measured"] * rows["output_tokens"] * wh, rows["p50"] * rows["output_tokens"] * wh
