"""The palette can be told apart without full colour vision, and read on white."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from pipeline.report import style
from tests.report.geometry import contrast
from tests.report.synthetic import PROFILE

# Machado, Oliveira, Fernandes (2009), A physiologically-based model for simulation of color vision
# deficiency, IEEE TVCG 15(6), doi:10.1109/TVCG.2009.113: severity 1.0, applied to linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(axis=1)
COLOURS = PROFILE.colours
MEANING = COLOURS.meaning.model_dump()
FAR = 20.0  # CIE 1976 colour difference; about 2 is just noticeable side by side
CLOSEST = 14.0


def lab(colour: str, vision: np.ndarray) -> np.ndarray:
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    ratio = XYZ @ np.clip(vision @ linear, 0, 1) / WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [MEANING, COLOURS.models], ids=["meaning", "models"])
def test_colours_stay_apart(palette: dict[str, str], vision: str) -> None:
    seen = {name: lab(colour, VISION[vision]) for name, colour in palette.items()}
    near = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)}
    assert {pair: d for pair, d in near.items() if d < FAR} == {}


def test_colours_of_meaning_can_be_used_for_text() -> None:
    colours = {**MEANING, "ink": style.INK, "muted": style.MUTED}
    assert {name for name, c in colours.items() if contrast(to_rgb(c)) < 4.5} == set()


def test_colours_of_models_can_be_seen_on_white() -> None:
    assert {name for name, c in COLOURS.models.items() if contrast(to_rgb(c)) < 3} == set()


def test_a_model_has_one_colour_however_it_is_written() -> None:
    spellings = ["Llama 3.1 405B", "llama-3.1-405b", "llama_3_1_405b"]
    with style.context(PROFILE):
        assert {to_hex(style.model_colour(name)) for name in spellings} == {
            COLOURS.models["Llama 3.1 405B"].lower()
        }
        assert style.model_colour("unheard of") == style.MUTED


def test_no_two_models_share_a_colour_and_all_can_be_seen() -> None:
    """Curves that carry their names may be nearer to each other than those of the paper's five."""
    colours = COLOURS.models | COLOURS.named_models
    for vision in VISION.values():
        seen = {name: lab(colour, vision) for name, colour in colours.items()}
        assert min(np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)) > CLOSEST
    assert min(contrast(to_rgb(colour)) for colour in colours.values()) > 3
