"""A published energy never stands beside ours at other lengths without ours at the same lengths between.

Read as texts are written: a paragraph of the paper, a page of the site, a panel of strips.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from pipeline.present.site.findings import PANELS

# What is published of water is of chat, so its name says no regime.
PUBLISHED = re.compile(
    r"claims\.v2\.blend\.(short|long)|energy\.v2\.(short|long)\.blend|claims\.blog\.(water)\.|(water)-published\."
)
REAL = re.compile(
    r"(?:re|headline\.re_estimated)\.production_lengths\.(short|long)\.|(water)\.production_lengths\.short\."
)
SAME = re.compile(
    r"re\.published_lengths\.(short|long)\.|like-for-like\.(short|long)\.same_lengths|"
    r"(water)\.published_lengths\.short\."
)
SITE = Path("pipeline/present/site/templates")


def regimes(pattern: re.Pattern[str], text: str) -> set[str]:
    return {next(filter(None, found.groups())) for found in pattern.finditer(text)}


def unlike(text: str) -> set[str]:
    """Regimes with the published value and ours in real traffic, and without ours at the same lengths."""
    return (regimes(PUBLISHED, text) & regimes(REAL, text)) - regimes(SAME, text)


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(Path("paper/sections").glob("*.typ")):
        for at, paragraph in enumerate(re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))):
            yield f"{path.name}, paragraph {at + 1}", paragraph
    for path in sorted(SITE.glob("*.j2")):
        yield path.name, path.read_text(encoding="utf-8")
    for panel in PANELS:
        for title, rows in panel.groups:
            yield f"{panel.title}, {title}", " ".join(key for row in rows for key in (row.middle, row.low))


def test_no_published_value_stands_beside_ours_at_other_lengths() -> None:
    read = dict(texts())
    assert len(read) > 50
    assert {where: unlike(text) for where, text in read.items() if unlike(text)} == {}


def test_the_rule_finds_a_pair_and_lets_three_pass() -> None:
    pair = 'claims.v2.blend.long.published_value and "re.production_lengths.long.blend.facility.median"'
    assert unlike(pair) == {"long"}
    assert not unlike(pair + " re.published_lengths.long.blend.facility.median")
    water = "claims.blog.water.published_high water.production_lengths.short.blend.microsoft_today.onsite"
    assert unlike(water) == {"water"}
    assert not unlike(f"{water} water.published_lengths.short.blend.microsoft_today.onsite")
    assert unlike(pair + " re.published_lengths.short.blend.facility.median") == {"long"}


def test_the_table_of_pairs_has_the_same_models_statistic_and_lengths() -> None:
    pairs = pd.read_csv("data/results/like_for_like.csv")
    rows = pd.read_csv("data/results/headline.csv").set_index(
        ["analysis", "lengths", "regime", "model_class"]
    )
    for pair in pairs.to_dict("records"):
        sides = {
            "published": ("as_published", "published"),
            "same_lengths": ("re_estimated", "published"),
            "production": ("re_estimated", "production"),
        }
        for side, keys in sides.items():
            found = rows.loc[[(*keys, pair["regime"], pair["model_class"])]]
            found = found[found["statistic"] == pair["statistic"]]
            assert len(found) == 1
            assert found["p50_wh"].iloc[0] == pytest.approx(pair[f"{side}_p50_wh"])
