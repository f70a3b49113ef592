"""What the names that people write mean: models, accelerators, machines, precisions, engines.

One name of a thing is used in all tables. Others are brought to it: publishers and tunings are left out of a
model's name ("meta-llama/Llama-3.1-405B-Instruct-FP8", "llama3.1:405b-instruct-q8_0"), vendors out of an
accelerator's ("NVIDIA H100 80GB HBM3" of nvidia-smi and DCGM), counts are split off ("8xH100"), and a machine
of a cloud provider ("p5.48xlarge") stands for its accelerators. For what is not known the nearest known names
are given; nothing is guessed from them. The package that is handed on (pipeline/factors/perquery) carries
this file as it stands, so that it imports the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

OFFERED = 3  # names offered for one that is not known
NEAR = 0.6  # least similarity of those, of 1
SHORTEST_BEGINNING = 3  # characters that a model's name must have

# Endings of a model's name that say how its weights are written, not which model it is.
_WEIGHTS = (
    r"fp8(?:-(?:dynamic|block|kv|tensor|e4m3|e5m2))?|(?:nv)?fp4(?:-v\d)?|mxfp4|mxfp8|int4|int8|w4a16|w4a8|w8a8|"
    r"w8a16|awq|gptq|gguf|ggml|exl2|exl3|bnb|mlx|qat|quantized(?:\.w\da\d+)?|i?q\d(?:-[a-z0-9]{1,2}){0,2}|"
    r"[2-8]bit|bf16|bfloat16|bf|fp16|float16|f16|half|unsloth|autoround|marlin|g128"
)
_TUNING = (
    r"instruct|thinking|chat|embedding|reranker|it|hf|base|original|preview|terminus|speciale|turbo|dynamic|"
    r"\d{4}|v0\.\d"
)
WEIGHTS = re.compile(rf"-(?:{_WEIGHTS})(?=-|$)")
ENDINGS = re.compile(rf"-(?:{_WEIGHTS}|{_TUNING})(?=-|$)")
VERSION = re.compile(r"(?<!q)(\d)_(\d)(?=[-_\s]|$)")  # "llama-3_3-70b": some file names cannot have dots
QUANTISED = re.compile(r"i?q\d(?:[-_][a-z0-9]{1,2}){0,2}(?=$)")  # of GGUF files: q4_k_m, q8_0, iq4_xs


@dataclass(frozen=True)
class Precision:
    """How weights are held and multiplied.

    Attributes
    ----------
    name : word of the serving model: bf16, fp8, int8, fp4, w8a16, w4a16 (weights of so many bits, multiplied
        in 16).
    bits : bits a weight takes, scales included.
    """

    name: str
    bits: float


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
}
PRECISION_WORDS = {
    "bf16": ("bf16", "bfloat16", "fp16", "float16", "f16", "half", "16bit",
             "torch.bfloat16", "torch.float16"),
    "fp8": ("fp8", "float8", "fp8-e4m3", "fp8-e5m2", "e4m3", "e5m2", "fp8-e4m3fn", "float8-e4m3fn", "mxfp8",
            "fp8-dynamic", "fp8-block", "w8a8-fp8", "fbgemm-fp8", "compressed-tensors-fp8"),
    "int8": ("int8", "w8a8", "w8a8-int8", "smoothquant", "int8-sq"),
    "fp4": ("fp4", "mxfp4", "w4a4", "w4a8"),
    "nvfp4": ("nvfp4", "modelopt-fp4"),
    "w8a16": ("w8a16", "int8-wo", "8bit", "bnb-8bit", "gptq-int8", "gptq-8bit", "q8"),
    "w4a16": ("w4a16", "int4", "awq", "gptq", "awq-int4", "gptq-int4", "awq-marlin", "gptq-marlin", "4bit",
              "bnb", "bnb-4bit", "nf4", "bitsandbytes", "int4-wo", "autoround", "hqq"),
}  # fmt: skip
# Bits of the formats of GGUF files, scales included, by the digit of their name.
GGUF_BITS = {2: 2.9, 3: 3.9, 4: 4.8, 5: 5.7, 6: 6.6, 8: 8.5}

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


@dataclass(frozen=True)
class Accelerators:
    """What a text says of accelerators: which, and how many (None: not said; below 1: part of one)."""

    gpu: str
    gpus: float | None


COUNTED = (
    re.compile(r"(?P<gpus>\d+)\s*(?:[x×*]|gpus?\b)?\s*(?P<gpu>\S.*)", re.IGNORECASE),
    re.compile(r"(?P<gpu>.*\S)\s*(?:[x×*:]\s*|\()(?P<gpus>\d+)\)?", re.IGNORECASE),
)
LISTED = re.compile(r"^gpu \d+:\s*|\s*\(uuid:.*\)$", re.IGNORECASE)  # of nvidia-smi -L
MACHINE_PREFIXES = re.compile(r"^(?:standard_|ml\.)", re.IGNORECASE)  # of Azure and SageMaker


VENDOR = re.compile(r"^(?:nvidia|amd|google|microsoft|intel|aws)?(?:instinct|geforce|hgx|dgx)?(?=.)")


def gpu_key(name: str) -> str:
    """The name in small letters and digits, without its vendor: "NVIDIA H100-SXM" is "h100sxm"."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return VENDOR.sub("", plain)


def gpu_names(hardware: pd.DataFrame) -> dict[str, str]:
    """The key (gpu_key) of every spelling of an accelerator, to its name."""
    return {
        gpu_key(spelling): gpu
        for gpu, all_spellings in spellings(hardware, ["gpu", "aliases"]).items()
        for spelling in all_spellings
    }


@dataclass(frozen=True)
class Chips:
    """Accelerators by any of their names, and machines by theirs.

    hardware, instances: tables in the contracts HARDWARE and CLOUD_INSTANCES.
    """

    hardware: pd.DataFrame
    instances: pd.DataFrame

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return gpu_names(self.hardware)

    @cached_property
    def _machines(self) -> Mapping[str, Accelerators]:
        columns = (self.instances[name] for name in ("instance", "gpu", "gpus"))
        return {
            MACHINE_PREFIXES.sub("", name).lower(): Accelerators(gpu, float(gpus))
            for name, gpu, gpus in zip(*columns, strict=True)
        }

    def find(self, text: str) -> Accelerators | None:
        """What the text names; None where no reading of it is known."""
        return next(self._readings(LISTED.sub("", text.strip())), None)

    def _readings(self, text: str) -> Iterator[Accelerators]:
        if gpu := self._names.get(gpu_key(text)):
            yield Accelerators(gpu, None)
        if machine := self._machines.get(MACHINE_PREFIXES.sub("", text).lower()):
            yield machine
        for counted in COUNTED:
            if (match := counted.fullmatch(text)) and (inner := self._one(match["gpu"])):
                gpus = float(match["gpus"])
                if gpus > 0:
                    yield Accelerators(inner.gpu, gpus * (inner.gpus or 1))

    def _one(self, text: str) -> Accelerators | None:
        text = re.sub(r"^[x×*]\s*", "", text.strip())
        if gpu := self._names.get(gpu_key(text)) or self._names.get(gpu_key(text.rstrip("s"))):
            return Accelerators(gpu, None)
        return self._machines.get(MACHINE_PREFIXES.sub("", text).lower())

    def nearest(self, text: str) -> list[str]:
        """Known accelerators and machines most like it."""
        keys = {**self._names, **{name: name for name in self._machines}}
        return _nearest(gpu_key(re.sub(r"^\d+\s*[x×*]\s*", "", text)), keys)


def _nearest(key: str, names: Mapping[str, str]) -> list[str]:
    found = get_close_matches(key, list(names), 2 * OFFERED, NEAR)
    return list(dict.fromkeys(names[one] for one in found))[:OFFERED]


def _word(text: str) -> str:
    plain = re.sub(r"[\s_()]+", "-", text.strip().lower()).strip("-")
    return re.sub(r"(?<=\d)-(?=bits?\b)", "", plain)


def precision(text: str) -> Precision | None:
    """What a word for a precision means; None where it is not known.

    Examples
    --------
    >>> precision("bfloat16").name, precision("AWQ").name, precision("q4_K_M")
    ('bf16', 'w4a16', Precision(name='w4a16', bits=4.8))
    """
    word = _word(text)
    for name, words in PRECISION_WORDS.items():
        if word in words:
            return PRECISIONS[name]
    if QUANTISED.fullmatch(word):
        digit = int(re.search(r"\d", word)[0])  # type: ignore[index]
        if digit in GGUF_BITS:
            return Precision("w8a16" if digit > 4 else "w4a16", GGUF_BITS[digit])
    return None


def precision_of(model: object) -> Precision | None:
    """The precision that a model's name ends with; None where it says none."""
    said = WEIGHTS.findall(normal(model))
    words = [re.sub(r"^quantized\.|-v\d$", "", found.strip("-")) for found in said]
    return next((one for one in map(precision, reversed(words)) if one), None)


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
    return _nearest(_word(text), {word.lower(): word for word in words})
