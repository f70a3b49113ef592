"""What the names that people write mean: models, precisions, engines; accelerators are in chips.py.

One name of a thing is used in all tables. Others are brought to it: publishers and tunings are left out of a
model's name ("meta-llama/Llama-3.1-405B-Instruct-FP8", "llama3.1:405b-instruct-q8_0"). For what is not known
the nearest known names are given; nothing is guessed from them. The package that is handed on
(pipeline/factors/perquery) carries this file as it stands, so that it imports the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import accumulate
from typing import TYPE_CHECKING

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
WEIGHTS = re.compile(rf"-(?:{_WEIGHTS})(?=-|$)")
ENDINGS = re.compile(rf"-(?:{_WEIGHTS}|{_TUNING})(?=-|$)")
VERSION = re.compile(r"(?<!q)(\d)_(\d)(?=[-_\s]|$)")  # "llama-3_3-70b": some file names cannot have dots
QUANTISED = re.compile(r"(?:ud-)?[it]?q(?P<bits>\d)(?:-[a-z0-9]{1,3}){0,3}")  # of GGUF: q4_k_m, q8_0, iq4_xs
BITS = re.compile(
    r"(?:u?int|fp|mxfp|w)?(?P<bits>[1-8](?:\.\d+)?)(?:a16|bits?|bpw)|(?:u?int|fp|mxfp)(?P<of>[1-8])"
)


@dataclass(frozen=True)
class Precision:
    """How weights are held and multiplied.

    Attributes
    ----------
    name : word of the serving model: bf16, fp8, int8, fp4, w8a16, w4a16 (weights of about so many bits,
        multiplied in 16), fp32.
    bits : bits a weight takes, scales included.
    guess : what a word that leaves the bits open is taken for; "" where it says them.
    """

    name: str
    bits: float
    guess: str = ""

    @property
    def word(self) -> str:
        """What means the same when it is read."""
        of = (key for key, one in PRECISIONS.items() if (one.name, one.bits) == (self.name, self.bits))
        return self.guess or next(of, f"{self.bits:g}bpw")


# Blocks of 16 (NVFP4) and 32 (MXFP4) weights share a scale of 8 bits, groups of 128 (AWQ, GPTQ) one of 16 and
# a zero point.
PRECISIONS = {
    "bf16": Precision("bf16", 16.0),
    "fp8": Precision("fp8", 8.0),
    "int8": Precision("int8", 8.0),
    "fp4": Precision("fp4", 4.25),
    "nvfp4": Precision("fp4", 4.5),
    "w8a16": Precision("w8a16", 8.0),
    "w4a16": Precision("w4a16", 4.25),
    "fp32": Precision("fp32", 32.0),
}
PRECISION_WORDS = {
    "bf16": ("bf16", "bfloat16", "fp16", "float16", "f16", "half", "16bit"),
    "fp8": ("fp8", "float8", "f8", "fp8-e4m3", "fp8-e5m2", "e4m3", "e5m2", "fp8-e4m3fn", "float8-e4m3fn",
            "fp8-e4m3fnuz", "float8-e5m2", "mxfp8", "fp8-dynamic", "fp8-block", "fp8-per-tensor", "w8a8-fp8",
            "fp8-w8a8", "fbgemm-fp8", "compressed-tensors-fp8", "ptpc-fp8", "modelopt-fp8"),
    "int8": ("int8", "w8a8", "w8a8-int8", "int8-w8a8", "smoothquant", "int8-sq"),
    "fp4": ("fp4", "mxfp4", "w4a4", "fp4-e2m1", "e2m1"),
    "nvfp4": ("nvfp4", "modelopt-fp4"),
    "w8a16": ("w8a16", "int8-wo", "8bit", "bnb-8bit", "gptq-int8", "gptq-8bit", "q8", "llm.int8"),
    "w4a16": ("w4a16", "int4", "uint4", "awq", "gptq", "awq-int4", "int4-awq", "gptq-int4", "int4-gptq",
              "awq-marlin", "gptq-marlin", "awq-4bit", "gptq-4bit", "4bit", "bnb", "bnb-4bit", "nf4",
              "bitsandbytes", "int4-wo", "autoround", "hqq", "w4a16-g128", "int4-g128", "mxfp4-a16"),
    "fp32": ("fp32", "float32", "f32", "tf32", "32bit", "full", "single"),
}  # fmt: skip
# Bits of the formats of GGUF files, scales included, by the digit of their name.
GGUF_BITS = {1: 1.9, 2: 2.9, 3: 3.9, 4: 4.8, 5: 5.7, 6: 6.6, 8: 8.5}
WIDE_FROM = 5.0  # bits of weights alone, from which they are nearer to eight than to four
SCALES = 0.25  # bits that scales of a group take, of formats that no table has
# Of files, kernels and methods that come in several widths: the usual one.
USUAL = {
    "q4_K_M": ("gguf", "ggml", "llama.cpp", "ollama"),
    "int4": ("marlin", "exl2", "exl3", "mlx", "squeezellm", "quip", "w4a8", "qserve"),
    "int2": ("aqlm", "bitnet", "ternary"),
}

VLLM, SGLANG, TENSORRT = "vLLM", "SGLang", "TensorRT-LLM"
ENGINE_WORDS = {
    VLLM: ("vllm",),
    SGLANG: ("sglang", "sgl"),
    TENSORRT: ("tensorrt-llm", "tensorrtllm", "tensorrt", "trtllm", "trt-llm", "trt"),
}
# Engines that nobody measured here: any of the measured ones may be nearest.
OTHER_ENGINES = {
    "tgi": "TGI", "text-generation-inference": "TGI", "llama.cpp": "llama.cpp", "llamacpp": "llama.cpp",
    "llama-server": "llama.cpp", "ollama": "ollama", "lm-studio": "LM Studio", "lmstudio": "LM Studio",
    "lmdeploy": "LMDeploy", "mlc-llm": "MLC LLM", "mlc": "MLC LLM", "mlx": "MLX", "mlx-lm": "MLX",
    "deepspeed": "DeepSpeed", "deepspeed-mii": "DeepSpeed", "transformers": "Transformers",
    "hf": "Transformers", "nim": "NIM", "triton": "Triton", "dynamo": "Dynamo", "exllama": "ExLlama",
    "exllamav2": "ExLlama", "exllamav3": "ExLlama", "ktransformers": "KTransformers",
    "lightllm": "LightLLM", "aphrodite": "Aphrodite", "tabbyapi": "TabbyAPI", "max": "MAX",
    "jetstream": "JetStream", "neuron": "Neuron", "optimum": "Optimum", "openvino": "OpenVINO",
    "atom": "ATOM", "xllm": "xLLM",
}  # fmt: skip


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
    short = VERSION.sub(r"\1.\2", name.strip().rstrip("/").split("/")[-1].strip().lower())
    short = re.sub(r"[\s_:@()]+", "-", short).strip("-")
    short = re.sub(r"\.(?:gguf|safetensors)$", "", short)
    return short.removeprefix("meta-").removeprefix("nvidia-")


def _without(endings: re.Pattern[str], short: str) -> str:
    while (shorter := endings.sub("", short)) != short:
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
        for written in (short, _without(WEIGHTS, short)):
            if model := self._exact.get(_joined(written)):
                return model
        return self._short.get(shape_key(name)) or self._begun(shape_key(name))

    def nearest(self, name: object) -> list[str]:
        """Known names that begin so, then those most like it."""
        key = shape_key(name)
        begun = [written for written in self._short if key and written.startswith(key)]
        alike = get_close_matches(key, list(self._short), OFFERED, NEAR)
        return list(dict.fromkeys(self._short[written] for written in [*begun, *alike]))[:OFFERED]

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
    found = get_close_matches(key, list(names), 2 * OFFERED, NEAR)
    return list(dict.fromkeys(names[one] for one in found))[:OFFERED]


def _word(text: str) -> str:
    plain = re.sub(r"[\s_()]+", "-", text.strip().lower()).strip("-").removeprefix("torch.")
    return re.sub(r"(?<=\d)-(?=bits?\b)", "", plain)


def precision(text: str) -> Precision | None:
    """What a word for a precision means; None where it is not known.

    Widths that no unit computes in (int3, fp6, those of GGUF files) are weights alone, multiplied in 16 bits.

    Examples
    --------
    >>> precision("bfloat16").name, precision("AWQ").name, precision("q4_K_M")
    ('bf16', 'w4a16', Precision(name='w4a16', bits=4.8, guess=''))
    """
    word = _word(text)
    for name, words in PRECISION_WORDS.items():
        if word in words:
            return PRECISIONS[name]
    for usual, words in USUAL.items():
        if word in words and (found := precision(usual)):
            return replace(found, guess=usual)
    if (file := QUANTISED.fullmatch(word)) and int(file["bits"]) in GGUF_BITS:
        return _weights_alone(GGUF_BITS[int(file["bits"])])
    if said := BITS.fullmatch(word):
        return _weights_alone(float(said["bits"] or said["of"]) + (0 if "bpw" in word else SCALES))
    return None


def _weights_alone(bits: float) -> Precision:
    return Precision("w4a16" if bits < WIDE_FROM else "w8a16", bits)


def precision_of(model: object) -> Precision | None:
    """The precision that a model's name ends with; None where it says none."""
    said = WEIGHTS.findall(normal(model))
    words = [re.sub(r"^quantized\.|-v\d$", "", found.strip("-")) for found in said]
    known = [one for one in map(precision, reversed(words)) if one]
    return min(known, key=lambda one: one.guess != "", default=None)  # "Q8_0-GGUF" says its bits


def precision_words() -> list[str]:
    """Every word that a precision may be written with."""
    return [word for words in PRECISION_WORDS.values() for word in words]


VERSIONED = re.compile(r"[=:@/-]*v?(?P<version>\d[\w.+-]*)$")


def engine_version(text: str) -> str:
    """The version behind an engine's name ("vllm 0.11.0", "vLLM==0.8.5"); "" where there is none."""
    found = VERSIONED.search(_word(text))
    return found["version"] if found else ""


def engine(text: str) -> str | None:
    """The serving engine; that of another one, which is not measured, as it is written; None: not known."""
    word = VERSIONED.sub("", _word(text)).strip("-")
    for name, words in ENGINE_WORDS.items():
        if word in words:
            return name
    other = OTHER_ENGINES.get(_word(text)) or OTHER_ENGINES.get(word)
    parts = re.split(r"[^a-z0-9.]+", text.lower())  # of an image: vllm/vllm-openai:v0.11.0
    named = {name for name, words in ENGINE_WORDS.items() if not set(words).isdisjoint(parts)}
    named |= {OTHER_ENGINES[part] for part in parts if part in OTHER_ENGINES}
    return other or (named.pop() if len(named) == 1 else None)


def nearest_words(text: str, words: Iterable[str]) -> list[str]:
    """Of some words those most like a text."""
    return nearest_of(_word(text), {word.lower(): word for word in words})
