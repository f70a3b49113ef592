"""Plain words and one style of numbers in what people read."""

import re
from pathlib import Path

import pytest

from pipeline.core.files import read_json

# What readers stumbled over, and what is said instead.
BANNED = {
    r"nine tenths": "90 % interval",
    r"what is not known": "uncertainty",
    r"\bignorance\b": "uncertainty",
    r"\bmiddling\b": "typical",
    r"comes? out again": "is reproduced",
    r"\b[Dd]atacent(?:re|er)s?\b(?!_| at its load)": "data centre",
    r"what we hold possible": "our simulated services",
    r"title not seen": "leave it out",
    r"\b0 of them\b": "say what there is",
    r"\d%": "a space before %",
    r"\btraditional (?:quer|blend|one)": "chat",
    r"\b(?<!how )(?:short|long) quer": "chat or reasoning",
    r"\bworlds\b": "our simulated services",
    r"\brequests in flight\b": "concurrent requests",
    r"\bservers that stand by\b": "idle servers",
    r"\bwhich is no\b": "finding first, no such clause",
    r"\d,\d{3} \d{3}\b": "1,048,576",
}
TEXTS = sorted(
    [
        Path("README.md"),
        Path(".github/GUIDE.md"),
        *Path("pipeline/present/site/templates").glob("*.j2"),
        *Path("pipeline/present/site/whatif").glob("*.js"),
        *Path("paper").glob("paper.typ"),
        *Path("paper/sections").glob("*.typ"),
        *Path("notebooks").glob("0*.py"),
    ]
)
CODE = re.compile(r"`[^`\n]*`|```.*?```|style=\"[^\"]*\"|\{[{%].*?[%}]\}|#\w+\([^()]*\)", re.DOTALL)


def found(text: str) -> list[str]:
    plain = CODE.sub(" ", text)
    return [
        f"{match[0]!r}: {better}"
        for pattern, better in BANNED.items()
        for match in re.finditer(pattern, plain)
    ]


@pytest.mark.parametrize("path", TEXTS, ids=str)
def test_no_banned_phrase_is_read(path: Path) -> None:
    assert found(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(Path("figures").glob("*.json")), ids=lambda path: path.stem)
def test_no_banned_phrase_is_in_the_words_of_a_figure(path: Path) -> None:
    about = read_json(path)
    assert found(" ".join(about[key] for key in ("title", "subtitle", "alt", "caption", "description"))) == []


def test_a_banned_phrase_is_found_and_code_is_left_alone() -> None:
    assert found("nine tenths of it") == ["'nine tenths': 90 % interval"]
    assert found("`nine tenths` and 90 %") == []
