"""What words for precisions and engines mean.

The package that is handed on (pipeline/factors/perquery) carries this file as it stands, as it does names.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.ingest.names import WEIGHTS, nearest_of, normal

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
            "fp8-w8a8", "fbgemm-fp8", "compressed-tensors-fp8", "ptpc-fp8", "modelopt-fp8", "e4m3fn"),
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


def _word(text: str) -> str:
    plain = re.sub(r"[\s_()]+", "-", text.strip().lower()).strip("-").removeprefix("torch.")
    whole = re.sub(r"\b(bf|(?:mx|nv)?fp|float|int)-(?=\d)", r"\1", plain)
    return re.sub(r"(?<=\d)-(?=bits?\b)", "", whole)


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
    said = re.findall(WEIGHTS, normal(model))
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
