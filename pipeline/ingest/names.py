"""What the names of models mean that people write; accelerators are in chips.py, precisions in words.py.

One name of a thing is used in all tables. Others are brought to it: publishers and tunings are left out of a
model's name ("meta-llama/Llama-3.1-405B-Instruct-FP8", "llama3.1:405b-instruct-q8_0"). For what is not known
the nearest known names are given; nothing is guessed from them. The package that is handed on
(pipeline/factors/perquery) carries this file as it stands, so that it imports the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

OFFERED = 3  # names offered for one that is not known
NEAR = 0.6  # least similarity of those, of 1
ENCODER = "encoder"  # attention of models that answer with numbers, not words
SHORTEST_BEGINNING = 3  # characters that a model's name must have

# Endings of a model's name that say how its weights are written, not which model it is.
_WEIGHTS = (
    r"fp8(?:-(?:dynamic|block|kv|tensor|e4m3|e5m2))?|(?:nv)?fp4(?:-v\d)?|mxfp[468]|fp6|int[2-8]|w\da\d+|"
    r"awq|gptq|gguf|ggml|exl2|exl3|bnb|mlx|dwq|qat|ud|quantized(?:\.w\da\d+)?|i?q\d(?:-[a-z0-9]{1,3}){0,2}|"
    r"[2-8]bit|\d(?:\.\d+)?bpw|bf16|bfloat16|bf|fp16|float16|f16|half|fp32|f32|unsloth|autoround|marlin|hqq|"
    r"nf4|g(?:32|64|128)|h[68]"
)
_TUNING = (
    r"instruct|thinking|chat|embedding|reranker|it|hf|base|original|preview|terminus|speciale|turbo|dynamic|"
    r"\d{4}|v0\.\d"
)
# Patterns as texts: each is compiled when it is first asked for, which a name that is known never does.
WEIGHTS = rf"-(?:{_WEIGHTS})(?=-|$)"
ENDINGS = rf"-(?:{_WEIGHTS}|{_TUNING})(?=-|$)"
VERSION = r"(?<!q)(\d)_(\d)(?=[-_\s]|$)"  # "llama-3_3-70b": some file names cannot have dots


def spellings(table: pd.DataFrame, columns: list[str]) -> dict[str, list[str]]:
    """All names of each row by its first column, aliases split."""
    return {
        str(names[0]): [part for name in names if isinstance(name, str) for part in name.split(";")]
        for names in table[columns].itertuples(index=False)
    }


def normal(name: object) -> str:
    """A model's name in small letters without its publisher, parts between hyphens; "" for none."""
    if not isinstance(name, str):
        return ""
    short = re.sub(VERSION, r"\1.\2", name.strip().rstrip("/").split("/")[-1].strip().lower())
    short = re.sub(r"[\s_:@()]+", "-", short).strip("-")
    short = re.sub(r"\.(?:gguf|safetensors)$", "", short)
    return short.removeprefix("meta-").removeprefix("nvidia-")


def _without(endings: str, short: str) -> str:
    while (shorter := re.sub(endings, "", short)) != short:
        short = shorter
    return short


def short_name(name: object) -> str:
    """The name without publisher, tuning and precision, in small letters; "" where there is no name."""
    return _without(ENDINGS, normal(name))


def _joined(short: str) -> str:
    """Without hyphens: people write "Llama3.1-8B" and "gptoss-120b" too."""
    return short.replace("-", "")


def shape_key(name: object) -> str:
    """The short name without hyphens, by which names of one model are equal."""
    return _joined(short_name(name))


def _part_starts(short: str) -> frozenset[int]:
    """Where the parts between hyphens begin once these are gone."""
    return frozenset(accumulate(map(len, short.split("-"))))


class Names:
    """Models by any of their names.

    written: all names of each; shape: of each the model whose shape it has, its own name mostly. `resolve`
    gives the shape, by which measurements are shared, `find` the row itself, which has its own context.
    """

    @classmethod
    def of(cls, models: pd.DataFrame) -> Names:
        """Of a table in the contract MODELS."""
        shape = models["model"]
        if "same_shape_as" in models:
            shape = models["same_shape_as"].fillna(shape)
        written = spellings(models, ["model", "upstream", "aliases"])
        return cls(written, dict(zip(models["model"], shape, strict=True)))

    def __init__(self, written: Mapping[str, Sequence[str]], shape: Mapping[str, str]) -> None:
        self.written, self.shape = written, shape
        first = sorted(written, key=lambda model: self.shape[model] != model)  # shapes before those like them
        self._exact = {_joined(normal(name)): model for model in reversed(first) for name in written[model]}
        self._short = {shape_key(name): model for model in reversed(first) for name in written[model]}
        self._parts = {written: frozenset[int]() for written in self._short}
        for name in (name for names in written.values() for name in names):
            self._parts[shape_key(name)] |= _part_starts(short_name(name))
        self._found: dict[object, str] = {}

    @property
    def lookups(self) -> list[Any]:
        """What `again` takes, for JSON."""
        return [self._exact, self._short, {key: sorted(starts) for key, starts in self._parts.items()}]

    @classmethod
    def again(cls, shape: Mapping[str, str], lookups: Sequence[Any]) -> Names:
        """The same without working out what each name is looked up by."""
        found = cls({}, shape)
        found._exact, found._short, found._parts = lookups
        return found

    def resolve(self, name: object) -> str:
        """The model of that shape; "" where the table has none."""
        return self.shape.get(self.find(name), "")

    def find(self, name: object) -> str:
        """The row that a name means, the only one of that beginning included; "" where there is none."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: object) -> str:
        short = normal(name)
        if not short:
            return ""
        exact = self._exact.get(_joined(short)) or self._exact.get(_joined(_without(WEIGHTS, short)))
        return exact or self._short.get(shape_key(name)) or self._begun(shape_key(name))

    def nearest(self, name: object) -> list[str]:
        """Known names that begin so, then those most like it."""
        key = shape_key(name)
        begun = [written for written in self._short if key and written.startswith(key)]
        named = [*(self._short[written] for written in begun), *nearest_of(key, self._short)]
        return list(dict.fromkeys(named))[:OFFERED]

    def _begun(self, key: str) -> str:
        """The model whose names alone begin so; a number that goes on is another number.

        "llama3.3" goes on to "llama-3.3-70b" and to "llama-3.3-nemotron-super-49b", and so means neither.
        """
        found = {
            model
            for written, model in self._short.items()
            if len(key) >= SHORTEST_BEGINNING
            and written.startswith(key)
            and not (
                key[-1].isdigit()
                and written[len(key)] in "0123456789."
                and len(key) not in self._parts[written]
            )
        }
        shapes = {self.shape[model] for model in found}
        return next(iter(found if len(found) == 1 else shapes)) if len(shapes) == 1 else ""


def nearest_of(key: str, names: Mapping[str, str]) -> list[str]:
    """What those of the names mean that are most like the key."""
    from difflib import get_close_matches  # takes as long as all else that the package starts with

    found = get_close_matches(key, list(names), 2 * OFFERED, NEAR)
    return list(dict.fromkeys(names[one] for one in found))[:OFFERED]
