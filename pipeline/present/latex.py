"""Text as LaTeX shows it."""

import re

ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$", "–": "--",
    "−": "$-$", "µ": r"$\mu$", "≥": r"$\geq$", "≤": r"$\leq$", "σ": r"$\sigma$", "²": r"$^2$",
}  # fmt: skip


def escape(text: str) -> str:
    """Text as LaTeX shows it."""
    return re.sub("|".join(map(re.escape, ESCAPES)), lambda match: ESCAPES[match[0]], text)
