"""Which accelerators a row runs on: known ones by name, machines, and those of the user's own columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.deployment.model.contract import CHIP
from pipeline.deployment.model.faults import Faults
from pipeline.ingest.chips import Accelerators, Chips
from pipeline.servers.model.power import OWN

PEAKS = ("peak_bf16_tflops", "peak_fp8_tflops", "peak_fp4_tflops")
PCIE = "A100 PCIe"  # whose link stands in where none was read: of the fourth generation, as of most cards


def resolve_chips(
    cells: pd.DataFrame,
    rows: pd.DataFrame,
    chips: Chips,
    hardware: pd.DataFrame,
    faults: Faults,
    assumed: list[list[str]],
) -> pd.DataFrame:
    """Set `gpu`, `gpu_as_read`, `gpus` of the rows; return hardware (index: gpu) with the own chips of rows.

    An own chip is one that the user's columns describe, or a known one that they change.
    """
    records: dict[str, dict[str, Any]] = hardware.to_dict("index")  # type: ignore[assignment]
    texts, uncounted = cells["gpu"], cells["gpus"].isna().to_numpy()
    meaning = {text: chips.find(str(text)) for text in texts.dropna().unique()}
    described: dict[str, dict[str, Any]] = {}
    values = rows[list(CHIP)].to_numpy(float)
    gpu, as_read = [None] * len(rows), [None] * len(rows)  # type: list[str | None], list[str | None]
    gpus = rows["gpus"].to_numpy(float).copy()
    for at, text in enumerate(texts):
        found = meaning.get(text)
        given = {name: value for name, value in zip(CHIP, values[at], strict=True) if not np.isnan(value)}
        if np.isnan(gpus[at]) and not uncounted[at]:
            gpus[at] = 1.0  # wrong, and said so
        share, gpus[at] = _count(found, gpus[at], text, at, faults)
        if found and (found.gpus or 0) > gpus[at]:
            assumed[at].append(f"{gpus[at]:g} of the {found.gpus:g} accelerators of {text}")
        facts = _facts(found, text, given, at, records, chips, faults)
        if facts is None:
            continue
        as_read[at] = found.gpu if found and share == 1 else str(text)
        if found and share == 1 and not _changed(facts, records[found.gpu]):
            gpu[at] = found.gpu
        else:
            scaled = {name: value * share if name in _SHARED else value for name, value in facts.items()}
            # Its name is what it is: equal ones are one accelerator, whatever else the table holds.
            name = f"{as_read[at]} ({', '.join(f'{scaled[part]:g}' for part in CHIP)})"
            gpu[at], described[name] = name, scaled
        if np.isnan(facts["link_gb_s"]) and gpus[at] > 1:
            assumed[at].append(f"link_gb_s {records[PCIE]['link_gb_s']:g}")
        if np.isnan(facts["rated_w"]):
            assumed[at].append("no power: rated_w is not published")
    rows["gpu"], rows["gpu_as_read"], rows["gpus"] = gpu, as_read, gpus
    parts = [hardware, pd.DataFrame.from_dict(described, orient="index")] if described else [hardware]
    return completed(pd.concat(parts))


def completed(hardware: pd.DataFrame) -> pd.DataFrame:
    """Without blanks that a rule fills: a link, and a bf16 rate half of that in FP8, a quarter of FP4."""
    wide = hardware["peak_fp8_tflops"].fillna(hardware["peak_fp4_tflops"] / 2) / 2
    slow = float(hardware["link_gb_s"].loc[[PCIE]].iloc[0])
    return hardware.assign(
        peak_bf16_tflops=hardware["peak_bf16_tflops"].fillna(wide),
        link_gb_s=hardware["link_gb_s"].fillna(slow),
    )


_SHARED = CHIP[:-1]  # of a part of an accelerator: all but its link


def _changed(facts: dict[str, Any], known: dict[str, Any]) -> bool:
    return any(facts[name] != known[name] for name in CHIP if not np.isnan(facts[name]))


def _count(
    found: Accelerators | None, stated: float, text: Any, at: int, faults: Faults
) -> tuple[float, float]:
    """The share of an accelerator that one of them is, and how many there are."""
    said = found.gpus if found else None
    if said is not None and said < 1:
        if not np.isnan(stated) and stated != 1:
            faults.say(at, f"column 'gpus': {stated:g}, expected 1 or a blank, as {text!r} is part of one")
        return said, 1.0
    if np.isnan(stated):
        if said is None:
            faults.say(at, "column 'gpus': '', expected a number, or a count in `gpu` (8xH100)")
        return 1.0, said if said is not None else 1.0
    if said is not None and stated > said:
        faults.say(at, f"column 'gpus': {stated:g}, expected at most {said:g}, which is what {text!r} has")
    return 1.0, stated


def _facts(
    found: Accelerators | None,
    text: Any,
    given: dict[str, float],
    at: int,
    records: dict[str, dict[str, Any]],
    chips: Chips,
    faults: Faults,
) -> dict[str, Any] | None:
    """Memory, speeds and power of the row's accelerator; None, with a fault, where they are not known."""
    needed = "memory_gib, bandwidth_tb_s and peak_bf16_tflops (or another peak)"
    if found is None:
        own = "memory_gib" in given and "bandwidth_tb_s" in given and any(peak in given for peak in PEAKS)
        if not own or text is None:
            near = chips.nearest(str(text)) if text is not None else []
            nearest = f" (nearest: {', '.join(near)})" if near else ""
            where = "an accelerator or machine of data/published" + nearest
            shown = "''" if text is None else repr(str(text)[:60])
            faults.say(at, f"column 'gpu': {shown}, expected {where}, or a name with {needed}")
            return None
        return {"generation": OWN, **{name: given.get(name, np.nan) for name in CHIP}}
    known = records[found.gpu]
    facts = {
        "generation": known["generation"],
        **{name: given.get(name, float(known[name])) for name in CHIP},
    }
    missing: Sequence[str] = [name for name in ("memory_gib", "bandwidth_tb_s") if np.isnan(facts[name])]
    if all(np.isnan(facts[peak]) for peak in PEAKS):
        missing = [*missing, "peak_bf16_tflops"]
    for name in missing:
        faults.say(at, f"column {name!r}: '', expected a number, since none was read for {found.gpu}")
    return None if missing else facts
