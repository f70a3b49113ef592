"""Energy and power of serving over the batch, predicted and measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from pipeline.ingest.sources import with_role
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures
from pipeline.serving.model.costs import configuration_names

ENERGY, RATE, POWER = "gpu_j_per_output_token", "output_tokens_per_s", "gpu_power_fraction"
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
LABELS_FROM, LABELS_TO = 0.65, 5.2  # concurrent requests between which the names stand
LINE_APART = 0.055  # of the height of a panel


@figure("fig-r2-energy-batch", "Energy per output token against batch", "double")
def energy_batch(
    profile: Figures, batch_curves: pd.DataFrame, serving_measurements: pd.DataFrame, hardware: pd.DataFrame
) -> Drawing:
    """J/output token over the batch: larger batches spread the weights over more answers."""
    curves, measured = shown(batch_curves), chat_rows(serving_measurements, hardware)
    drawn, panels = style.new_figure(profile, "double", 78, columns=2, sharey=True)
    span = style.decade_span([float(measured[ENERGY].min()), float(measured[ENERGY].max())])
    style.log_axis(panels[0], "y", *span, "GPU energy (J per output token, log scale)")
    panels[1].grid(axis="y", which="major")
    _panels(panels, curves, measured, ENERGY)
    words = falls(curves)
    alt = f"Two panels, H100 and B200: GPU energy per output token falls with concurrent requests. {words}."
    caption = (
        "GPU energy per output token over concurrent requests, chat, log scales. "
        "Points: all measured configurations; curves with 90 % bands: fitted, for one configuration "
        "of each model."
    )
    ends = curves.sort_values("concurrency").groupby(["model", "gpu"])[f"{ENERGY}_p50"].agg(["first", "last"])
    gain = float((ends["first"] / ends["last"]).median())
    says = finding((gain > 1, f"A full batch takes {gain:.0f} times less energy per token"))
    return Drawing(drawn, alt, caption, says)


@figure("fig-r3-power-batch", "GPU power against batch", "double")
def power_batch(
    profile: Figures, batch_curves: pd.DataFrame, serving_measurements: pd.DataFrame, hardware: pd.DataFrame
) -> Drawing:
    """Accelerator power over rated power, over the batch."""
    curves, measured = shown(batch_curves), chat_rows(serving_measurements, hardware)
    drawn, panels = style.new_figure(profile, "double", 70, columns=2, sharey=True)
    panels[0].set(ylim=(0, 1.05), ylabel="GPU power (fraction of rated power)")
    for ax in panels:
        ax.grid(axis="y")
    _panels(panels, curves, measured, POWER, banded=False)
    low, high = (float(measured[POWER].quantile(q)) for q in (0.05, 0.95))
    spread = f"90 % of the {len(measured)} measured configurations lie between {low:.2f} and {high:.2f}"
    alt = (
        "Two panels, H100 and B200: GPU power as a fraction of rated power over concurrent requests; "
        f"{spread}."
    )
    caption = (
        "GPU power over rated power against concurrent requests, chat, linear scale of power. "
        f"{spread}. Dots: measured (grey: other configurations); curves: fitted medians, for one "
        "configuration of each model."
    )
    ratios = [float(np.divide(*measured[name].quantile([0.95, 0.05]))) for name in (POWER, RATE)]
    text = f"GPU power varies {ratios[0]:.1f}-fold where throughput varies {ratios[1]:.0f}-fold"
    says = finding((ratios[0] < ratios[1], text))
    return Drawing(drawn, alt, caption, says)


def chat_rows(measurements: pd.DataFrame, hardware: pd.DataFrame) -> pd.DataFrame:
    """Measured chat with its configuration, and its power as a fraction of rated power."""
    rated_w = hardware.set_index("gpu")["rated_w"]
    chat = with_role(measurements, "chat")
    power = chat["gpu_w"] / chat["gpus"] / chat["gpu"].map(rated_w)
    return chat.assign(configuration=configuration_names(chat), **{POWER: power})


def shown(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves of the models shown, of each on each accelerator the configuration with the fewest."""
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
                ends = [formats.significant(float(curve[f"{ENERGY}_p50"].iloc[i])) for i in (0, -1)]
                parts.append(f"{model} on {curve['gpus'].iloc[0]} {gpu} {ends[0]} to {ends[1]} J")
    return "; ".join(parts)


def _panels(
    panels: Sequence[Axes], curves: pd.DataFrame, measured: pd.DataFrame, quantity: str, banded: bool = True
) -> None:
    """A panel an accelerator: all measured points, curves and their own points, their names.

    The value axis is set up before.
    """
    palette = {model: style.model_colour(model) for model in SHOWN}
    ends = ("p5", "p50", "p95") if banded else ("p50",)
    long = curves.melt(["model", "gpu", "concurrency"], [f"{quantity}_{p}" for p in ends])
    own = measured.merge(curves[["configuration", "model"]].drop_duplicates(), on=["configuration", "model"])
    look: dict[str, Any] = {"hue": "model", "palette": palette, "legend": False}
    for ax, gpu, letter in zip(panels, GPUS, "ab", strict=True):
        rows, mine = measured[measured["gpu"] == gpu], own[own["gpu"] == gpu]
        dots: dict[str, Any] = {
            "x": "concurrency",
            "y": quantity,
            "linewidth": 0,
            "gid": marks.DATA,
            "ax": ax,
        }
        sns.scatterplot(rows, s=3.0, color=style.RULE, zorder=1, **dots)
        sns.lineplot(
            long[long["gpu"] == gpu],
            x="concurrency",
            y="value",
            estimator="median",
            errorbar=("pi", 100),
            err_kws={"alpha": 0.18, "linewidth": 0, "zorder": 1.5},
            zorder=2,
            gid=marks.DATA,
            ax=ax,
            **look,
        )
        sns.scatterplot(mine, s=5.0, zorder=3, **dots, **look)
        ax.set(xscale="log", xlim=(LABELS_FROM, measured["concurrency"].max() * 1.15))
        ax.set_xticks(list(TICKS), labels=list(TICKS.values()))
        ax.minorticks_off()
        ax.set(xlabel="Concurrent requests (log scale)", ylabel=ax.get_ylabel() if letter == "a" else "")
        ax.xaxis.set_label_coords(0.66, -0.1)
        style.panel_title(ax, f"{letter}  {gpu}")
        first = curves[curves["gpu"] == gpu].sort_values("concurrency").drop_duplicates("model")
        _name_curves(ax, dict(zip(first["model"], first[f"{quantity}_p50"].astype(float), strict=True)))


def _name_curves(ax: Axes, starts: dict[str, float]) -> None:
    """Names left of the curves' starts, pushed apart where they would overlap, with thin leaders."""
    models = sorted(starts, key=lambda model: starts[model])
    to_axes = ax.transData + ax.transAxes.inverted()
    wanted = [float(to_axes.transform((1.0, starts[model]))[1]) for model in models]
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
        colour = style.model_colour(model)
        ax.plot([LABELS_TO * 1.05, 7.2], [height, start], color=colour, linewidth=0.5, transform=blended)
        words: dict[str, Any] = {
            "fontsize": style.SMALL_PT,
            "ha": "right",
            "va": "center",
            "color": style.INK,
        }
        ax.text(LABELS_TO, height, model, transform=blended, **words)
