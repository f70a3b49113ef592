"""What the text of the paper takes from results: the keys that it asks for, and digits typed by hand."""

import re
from collections.abc import Iterable

KEYED = re.compile(r"#?\b(?:val|word|number|band|ninety|ratio|factor|millilitres|times)\(([^()]*)\)")
QUOTED = re.compile(r'(?<!of: )"([^"]*)"')  # not the beginning of a quantity's name
# What may carry digits in prose: names of models, machines and formats, percentiles, versions, years, labels.
NAMES = re.compile(
    r"""\b\d+(?:\.\d+)?B\b|8x22B|Llama\s3(?:\.\d)?|\bDeepSeek-R1\b|\b[HB][12]00\b|\bGB200\b|\bFP(?:4|8|16)\b|\bBF16\b
      |\bP\d{1,2}\b|\bv[12]\b|\bversion\s[12]\b|\b(?:19|20)\d{2}\b|\bPython\s3\b|\bCO2\b|\bCO\#sub\[2\]
      |\b90\s%|\bGPT-\d(?:\.\d)?\b|\bPhi-\d\b|\bMaia\s200\b|\bGB300\b|\bMI\d{3}X\b|\bQwen\d\b""",
    re.VERBOSE,
)
NOT_PROSE = [
    re.compile(r"/\*.*?\*/", re.DOTALL),  # comments
    re.compile(r"(?<!:)//[^\n]*"),
    re.compile(r"```.*?```", re.DOTALL),  # code
    re.compile(r"`[^`\n]*`"),
    re.compile(r"\$[^$]*\$"),  # equations: their constants are part of the method
    re.compile(r"^\s*#(?:import|include|set|show|let)\b[^\n]*", re.MULTILINE),
    re.compile(r"#?\b(?:picture|bibliography|image|link|sig)\([^()]*\)"),
    re.compile(r"<[a-z][\w:.-]*>"),  # labels
    re.compile(r"@[A-Za-z][\w:-]*(?:\.\w+)*"),  # citations and references
]


def keys(text: str) -> list[str]:
    """The result keys that a typst text asks for, in order; a band is named by its row."""
    return [key for call in KEYED.findall(text) for key in QUOTED.findall(call)]


def digits_by_hand(text: str) -> list[str]:
    """Words of the prose that carry a digit which comes from no result; empty when all is well."""
    for pattern in [*NOT_PROSE, KEYED, NAMES]:
        text = pattern.sub(" ", text)
    return re.findall(r"\S*\d\S*", text)


def unknown_keys(text: str, numbers: Iterable[str]) -> list[str]:
    """Keys of a typst text that are neither a number nor the row of some numbers."""
    known = set(numbers)
    rows = {key.rpartition(".")[0] for key in known}
    return [key for key in keys(text) if key not in known and key not in rows]
