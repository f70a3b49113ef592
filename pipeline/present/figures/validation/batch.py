"""Energy per output token and power over the batch: measured points and the fitted curves, by accelerator."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, marks, style
from pipeline.present.figures.validation.tables import ENERGY, ValidationTables
from pipeline.present.save import Drawing

GPUS = ("H100", "B200")
# One configuration of each, with the fewest accelerators: dense by size, then mixtures of experts.
SHOWN = [
    "Llama 3.1 8B",
    "Qwen3 32B",
    "Llama 3.1 70B",
    "Llama 3.1 405B",
    "Qwen3 30B-A3B",
    "Qwen3 235B-A22B",
    "DeepSeek-V3.1",
]
TICKS = {8: "8", 32: "32", 128: "128", 512: "512", 2048: "2,048"}
POWER = "gpu_power_fraction"
LABELS_FROM, LABELS_TO = 0.75, 5.2  # requests in flight between which the names stand
LINE_APART = 0.055  # of the height of a panel


def fig_energy_batch(tables: ValidationTables, profile: Figures) -> Drawing:
    """J/output token over the batch: larger batches spread the weights over more answers."""
    drawn = shown(tables.curves)
    figure, panels = style.new_figure(profile, "double", 78, columns=2, sharey=True)
    measured = tables.chat.assign(value=tables.chat[ENERGY])
    values = [float(measured["value"].min()), float(measured["value"].max())]
    for ax, gpu, letter in zip(panels, GPUS, "ab", strict=True):
        label = "GPU energy (J per output token, log scale)" if letter == "a" else ""
        axes.log_axis(ax, "y", *axes.decade_span(values), label)
        _panel(ax, gpu, letter, drawn, measured, ENERGY)
        ax.tick_params(labelleft=letter == "a")
    words = falls(drawn)
    alt = f"Two panels, H100 and B200: GPU energy per output token falls with requests in flight. {words}."
    caption = (
        "Larger systems are more efficient per token. GPU energy per output token over requests in flight, "
        "chat. Points: all measured configurations; curves with 90 % bands: fitted, for one configuration "
        "of each model."
    )
    return Drawing(figure, alt, caption)


def fig_power_batch(tables: ValidationTables, profile: Figures) -> Drawing:
    """Accelerator power over rated power, over the batch."""
    drawn = shown(tables.curves)
    figure, panels = style.new_figure(profile, "double", 70, columns=2, sharey=True)
    measured = tables.chat.assign(value=tables.chat["power_fraction"])
    for ax, gpu, letter in zip(panels, GPUS, "ab", strict=True):
        ax.set(ylim=(0, 1.05))
        ax.grid(axis="y")
        _panel(ax, gpu, letter, drawn, measured, POWER)
    panels[0].set_ylabel("GPU power (fraction of rated power)")
    low, high = (float(measured["value"].quantile(q)) for q in (0.05, 0.95))
    spread = f"90 % of the {len(measured)} measured configurations lie between {low:.2f} and {high:.2f}"
    alt = (
        "Two panels, H100 and B200: GPU power as a fraction of rated power over requests in flight; "
        f"{spread}."
    )
    caption = (
        "Power changes far less than throughput. GPU power over rated power against requests in "
        f"flight, chat; {spread}. Points: measured; curves with 90 % bands: fitted, drawn as in the figure "
        "before."
    )
    return Drawing(figure, alt, caption)


def shown(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves of the models shown, of each on each accelerator the configuration with the fewest "
    "accelerators."""
    rows = curves[curves["model"].isin(SHOWN)]
    fewest = rows.groupby(["model", "gpu"])["gpus"].transform("min")
    return rows[rows["gpus"] == fewest].drop_duplicates(["model", "gpu", "concurrency"])


def falls(drawn: pd.DataFrame) -> str:
    """`Llama 3.1 8B on 1 H100 from 0.9 to 0.07 J`: ends of each curve."""
    parts = []
    for model in SHOWN:
        for gpu in GPUS:
            curve = drawn[(drawn["model"] == model) & (drawn["gpu"] == gpu)].sort_values("concurrency")
            if len(curve):
                ends = [axes.significant(float(curve[f"{ENERGY}_p50"].iloc[i])) for i in (0, -1)]
                parts.append(f"{model} on {curve['gpus'].iloc[0]} {gpu} {ends[0]} to {ends[1]} J")
    return "; ".join(parts)


def _panel(
    ax: Axes, gpu: str, letter: str, drawn: pd.DataFrame, measured: pd.DataFrame, quantity: str
) -> None:
    """Measured points, curves and their names on the left; the value axis is set up before."""
    rows = measured[measured["gpu"] == gpu]
    points: dict[str, Any] = {"linewidths": 0, "gid": marks.DATA}
    ax.scatter(rows["average_batch"], rows["value"], s=3.0, color=style.RULE, zorder=1, **points)
    starts: dict[str, tuple[float, str]] = {}
    for model in SHOWN:
        colour = style.model_colour(model)
        curve = drawn[(drawn["model"] == model) & (drawn["gpu"] == gpu)].sort_values("concurrency")
        if curve.empty:
            continue
        x = curve["concurrency"].to_numpy(float)
        low, middle, high = (curve[f"{quantity}_{p}"].to_numpy(float) for p in ("p5", "p50", "p95"))
        ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0, zorder=1.5)
        ax.plot(x, middle, color=colour, linewidth=style.LINE_PT, zorder=2, gid=marks.DATA)
        own = rows[rows["configuration"] == curve["configuration"].iloc[0]]
        ax.scatter(own["average_batch"], own["value"], s=5, color=colour, zorder=3, **points)
        starts[model] = (float(middle[0]), colour)
    ax.set(xscale="log", xlim=(LABELS_FROM, measured["average_batch"].max() * 1.15))
    ax.set_xticks(list(TICKS), labels=list(TICKS.values()))
    ax.minorticks_off()
    ax.set_xlabel("Requests in flight (log scale)")
    ax.xaxis.set_label_coords(0.66, -0.1)
    style.panel_title(ax, f"{letter}  {gpu}")
    _name_curves(ax, starts)


def _name_curves(ax: Axes, starts: dict[str, tuple[float, str]]) -> None:
    """Names left of the curves' starts, pushed apart where they would overlap, with thin leaders."""
    models = sorted(starts, key=lambda model: starts[model][0])
    to_axes = ax.transData + ax.transAxes.inverted()
    wanted = [float(to_axes.transform((1.0, starts[model][0]))[1]) for model in models]
    heights = np.array(wanted)
    for _ in range(200):  # neighbours repel each other until all are a line apart
        close = np.diff(heights) < LINE_APART - 1e-9
        if not close.any():
            break
        push = np.where(close, (LINE_APART - np.diff(heights)) / 2, 0.0)
        heights[:-1] -= push
        heights[1:] += push
    blended = ax.get_xaxis_transform()
    for model, height, start in zip(models, heights, wanted, strict=True):
        colour = starts[model][1]
        ax.plot([LABELS_TO * 1.05, 7.2], [height, start], color=colour, linewidth=0.5, transform=blended)
        text: dict[str, Any] = {"fontsize": style.SMALL_PT, "ha": "right", "va": "center", "color": style.INK}
        ax.text(LABELS_TO, height, model, transform=blended, **text)
