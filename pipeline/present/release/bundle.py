"""Figures and tables ready to go into a manuscript: a LaTeX source, and a page that word processors open."""

import html
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.files import write_text
from pipeline.present.latex import escape

PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[a4paper,margin=12mm]{geometry}
\usepackage{booktabs,longtable,graphicx,pdflscape}
\setlength{\tabcolsep}{2.5pt}
\begin{document}
"""


def captions(sidecars: Sequence[Mapping[str, Any]]) -> str:
    """Number, title, caption and alt text of every figure, as Markdown."""
    parts = ["# Captions\n"]
    for about in sidecars:
        head = f"Figure {about['number']}. {about['title']}" if about["number"] else about["title"]
        parts.append(f"## {head}\n\n{about['caption']}\n\n*Alt text.* {about['alt']}\n")
    return "\n".join(parts)


def latex(sidecars: Sequence[Mapping[str, Any]], figures: Path, tables: Path, target: Path) -> None:
    """Write a folder that compiles as it is: main.tex, figures as PDF, tables as they are included."""
    target.mkdir(parents=True, exist_ok=True)
    names = [path.stem for path in sorted(tables.glob("*.tex"))]
    for about in sidecars:
        shutil.copyfile(figures / f"{about['file']}.pdf", target / f"{about['file']}.pdf")
    for name in names:
        shutil.copyfile(tables / f"{name}.tex", target / f"table-{name}.tex")
    write_text("\n".join(_latex_figure(about) for about in sidecars), target / "figures.tex")
    inputs = "\n".join(rf"{{\scriptsize\input{{table-{name}}}}}\clearpage" for name in names)
    body = (
        rf"\input{{figures}}\clearpage{chr(10)}\begin{{landscape}}{chr(10)}{inputs}{chr(10)}\end{{landscape}}"
    )
    write_text(f"{PREAMBLE}{body}\n\\end{{document}}\n", target / "main.tex")


def _latex_figure(about: Mapping[str, Any]) -> str:
    caption = escape(f"{about['title']}. {about['caption']}")
    return (
        f"\\begin{{figure}}[p]\n\\centering\n\\includegraphics[width={about['width_mm']:g}mm]{{{about['file']}.pdf}}\n"
        f"\\caption{{{caption}}}\n\\label{{fig:{about['file']}}}\n\\end{{figure}}\n"
    )


def word(sidecars: Sequence[Mapping[str, Any]], tables: Mapping[str, pd.DataFrame], target: Path) -> None:
    """Write a page that word processors open: all figures (PNG of ../figures, at print size) and tables."""
    parts = []
    for about in sidecars:
        label = f"<b>Figure {html.escape(about['number'])}.</b> " if about["number"] else ""
        words = f"<b>{html.escape(about['title'])}.</b> {html.escape(about['caption'])}"
        parts.append(
            f'<p><img src="../figures/{about["file"]}.png" alt="{html.escape(about["alt"])}" '
            f'style="width:{about["width_mm"]:g}mm"></p>\n<p>{label}{words}</p>'
        )
    for name, table in tables.items():
        shown = table.to_html(index=False, na_rep="", border=1, float_format="{:.4g}".format)
        parts.append(f"<h2>Table: {html.escape(name)}</h2>\n{shown}")
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Figures, tables</title></head>'
    )
    write_text(
        f"{head}<body>\n" + "\n".join(parts) + "\n</body></html>\n", target / "figures-and-tables.html"
    )
