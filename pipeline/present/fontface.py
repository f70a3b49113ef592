"""The glyphs that an SVG uses, embedded in it, so that browsers without the font show the same text."""

import base64
import html
import io
import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from pipeline.present.style import FONT, FONT_FOLDER

WEIGHTS = {"400": "Roboto-Regular.ttf", "700": "Roboto-Bold.ttf"}
TEXT = re.compile(r"<text\b([^>]*)>(.*?)</text>", re.DOTALL)


def font_faces(svg: str) -> str:
    """CSS `@font-face` rules with the glyphs of every text element of `svg`, one a weight in use."""
    rules = []
    for weight, characters in sorted(used_characters(svg).items()):
        data = base64.b64encode(glyphs(FONT_FOLDER / WEIGHTS[weight], characters)).decode("ascii")
        source = f"src:url(data:font/ttf;base64,{data})"
        rules.append(f"@font-face{{font-family:'{FONT}';font-weight:{weight};{source}}}")
    return "".join(rules)


def used_characters(svg: str) -> dict[str, str]:
    """The characters that are drawn in regular (400) and bold (700), sorted."""
    used: dict[str, set[str]] = {}
    for attributes, content in TEXT.findall(svg):
        weight = "700" if re.search(r"font(-weight)?:\s*(bold|[67]00)\b", attributes) else "400"
        used.setdefault(weight, set()).update(html.unescape(re.sub(r"<[^>]+>", "", content)))
    return {weight: "".join(sorted(characters - {"\n"})) for weight, characters in used.items()}


def glyphs(path: Path, characters: str) -> bytes:
    """A TrueType font with only the given characters, without hints; the same bytes on every run."""
    options = subset.Options(hinting=False, layout_features=["kern"], name_IDs=[0, 1, 2, 13, 14])
    options.recalc_timestamp = False
    font = TTFont(path, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()
