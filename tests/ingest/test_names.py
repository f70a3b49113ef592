"""Every name that people write means one thing, and an unknown one is answered with the nearest."""

from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.catalogue import transcription
from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.ingest.chips import Accelerators, Chips, gpu_key
from pipeline.ingest.contract_facts import MODELS as MODELS_CONTRACT
from pipeline.ingest.names import Names, normal, short_name, spellings
from pipeline.ingest.words import engine, nearest_words, precision, precision_of, precision_words

PUBLISHED = Path("data/published")
MODELS, HARDWARE, INSTANCES = map(transcription, ("published/models", "hardware", "cloud_instances"))
NAMES, CHIPS = Names.of(MODELS), Chips(HARDWARE, INSTANCES)


@pytest.mark.parametrize(
    ("spelling", "model", "shape"),
    [
        ("meta-llama/Llama-3.1-405B-Instruct-FP8", "Llama 3.1 405B", ""),
        ("meta-llama/Meta-Llama-3.1-405B", "Llama 3.1 405B", ""),
        ("llama_3.1_405b", "Llama 3.1 405B", ""),
        ("Llama 3.3 70B", "Llama 3.1 70B", ""),  # the same shape and context
        ("Llama3.1-70B", "Llama 3.1 70B", ""),
        ("meta-llama/Meta-Llama-3-70B-Instruct", "Llama 3 70B", "Llama 3.1 70B"),  # an eighth of the context
        ("openai/gpt-oss-120b", "gpt-oss-120b", ""),
        ("gptoss-120b", "gpt-oss-120b", ""),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "Qwen3 235B-A22B 2507", "Qwen3 235B-A22B"),
        ("Qwen/Qwen3-235B-A22B-FP8", "Qwen3 235B-A22B", ""),
        ("Qwen3-235B", "Qwen3 235B-A22B", ""),  # two rows begin so, of one shape
        ("Command", "Command A", ""),
        ("deepseek-ai/DeepSeek-R1-0528", "DeepSeek-V3", ""),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "Llama 3.1 70B", ""),  # not DeepSeek-R1
        ("nvidia/DeepSeek-R1-0528-FP4-v2", "DeepSeek-V3", ""),
        ("moonshotai/Kimi-K2-Thinking", "Kimi K2 Thinking", "Kimi K2.5"),  # weights of four bits
        ("moonshotai/Kimi-K2-Instruct-0905", "Kimi K2 0905", "Kimi K2"),
        ("google/gemma-3-27b-it", "Gemma 3 27B", ""),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", "Nemotron Nano 9B v2", ""),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "Mixtral 8x22B", ""),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "Llama 4 Maverick", ""),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "Mistral Small 3.2 24B", "Mistral Small 24B"),
        ("microsoft/Phi-4-reasoning-plus", "Phi-4-reasoning", "Phi-4"),
        ("zai-org/GLM-5.1-FP8", "GLM-5", ""),
        ("Nemotron Ultra 253B", "Llama 3.1 Nemotron Ultra 253B", ""),
        ("RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8", "Llama 3.1 70B", ""),
        ("hugging-quants/Meta-Llama-3.1-405B-Instruct-AWQ-INT4", "Llama 3.1 405B", ""),
        ("Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4", "Qwen2.5 72B", ""),
        ("unsloth/Qwen3-32B-GGUF", "Qwen3 32B", ""),
        ("mlx-community/Qwen3-30B-A3B-Thinking-2507-4bit", "Qwen3 30B-A3B 2507", "Qwen3 30B-A3B"),
        ("qwen3:235b-a22b-q4_K_M", "Qwen3 235B-A22B", ""),
        ("llama3.1:70b-instruct-q8_0", "Llama 3.1 70B", ""),
        ("llama3.3:70b", "Llama 3.1 70B", ""),
        ("deepseek-r1:70b", "Llama 3.1 70B", ""),
        ("deepseek-r1:671b", "DeepSeek-V3", ""),
        ("gemma3:27b-it-qat", "Gemma 3 27B", ""),
        ("hf.co/unsloth/Qwen3-32B-GGUF:UD-Q4_K_XL", "Qwen3 32B", ""),
        ("turboderp/Llama-3.1-70B-Instruct-4.65bpw-h6-exl2", "Llama 3.1 70B", ""),
        ("Llama-3.3-70B-Instruct-IQ2_XXS.gguf", "Llama 3.1 70B", ""),
        ("BAAI/bge-m3", "BGE-M3", ""),
        ("bge-reranker-v2-m3", "BGE-M3", ""),
        ("mxbai-embed-large:335m", "BGE Large", ""),
        ("nomic-embed-text", "Nomic Embed Text", ""),
        ("phi4:14b", "Phi-4", ""),
        ("qwen3-coder:30b", "Qwen3-Coder 30B-A3B", "Qwen3 30B-A3B"),
        ("Qwen3", "", ""),  # many begin so
        ("llama3.1", "", ""),
        ("Llama 3.1 7", "", ""),  # not the 70B
        ("Llama 3.1 4050B", "", ""),
        ("Hermes-3-Llama-3.1-405B", "", ""),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_spellings_mean_a_model_and_its_shape(spelling: str | None, model: str, shape: str) -> None:
    assert NAMES.find(spelling) == model
    assert NAMES.resolve(spelling) == (shape or model)


def test_no_spelling_means_two_models_and_every_own_name_means_its_row() -> None:
    means = defaultdict(set)
    for model, written in spellings(MODELS, ["model", "upstream", "aliases"]).items():
        for name in written:
            means[normal(name).replace("-", "")].add(model)
            assert NAMES.find(name) == model
    assert {name: models for name, models in means.items() if len(models) > 1} == {}
    assert short_name("Qwen3 32B") == "qwen3-32b"


def test_near_names_are_offered() -> None:
    assert NAMES.nearest("Llama 3.1 4050B")[0] == "Llama 3.1 405B"
    assert set(NAMES.nearest("Llama 4")) >= {"Llama 4 Scout", "Llama 4 Maverick"}
    assert CHIPS.nearest("8xH1000")[0] == "H100"
    assert "p5.48xlarge" in CHIPS.nearest("p5.48xlarg")
    assert nearest_words("bf61", precision_words())[0] == "bf16"
    assert NAMES.nearest("zzzz") == CHIPS.nearest("zzzz") == []


@pytest.mark.parametrize(
    ("text", "gpu", "gpus"),
    [
        ("NVIDIA H100 80GB HBM3", "H100", None),  # nvidia-smi, DCGM
        ("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0a1b)", "H100", None),  # nvidia-smi -L
        ("NVIDIA A100-SXM4-80GB", "A100", None),
        ("NVIDIA A100-PCIE-40GB", "A100 PCIe 40GB", None),
        ("NVIDIA GeForce RTX 4090", "RTX 4090", None),
        ("Tesla T4", "T4", None),
        ("AMD Instinct MI300X", "MI300X", None),  # amd-smi
        ("AMD Instinct MI250X / MI250", "MI250X", None),
        ("h100 sxm5", "H100", None),
        ("DGX H100", "H100", None),
        ("TPU v5e", "TPU v5e", None),
        ("7x", "TPU7x", None),
        ("8xH100", "H100", 8),
        ("8 x NVIDIA H100 80GB HBM3", "H100", 8),
        ("8 H100s", "H100", 8),
        ("8 GPUs H100", "H100", 8),
        ("H100x8", "H100", 8),
        ("H100:8", "H100", 8),
        ("H100 (8)", "H100", 8),
        ("RTX4090 x2", "RTX 4090", 2),
        ("p5.48xlarge", "H100", 8),
        ("2xp5.48xlarge", "H100", 16),
        ("ml.p5.48xlarge", "H100", 8),
        ("Standard_ND96isr_H100_v5", "H100", 8),
        ("ND96isr_H100_v5", "H100", 8),
        ("A3-HighGPU-8G", "H100", 8),
        ("g6f.large", "L4", 0.125),
        ("ND_H100_v5", "H100", 8),  # families of one machine
        ("ND H100 v5", "H100", 8),
        ("NDisr_H100_v5", "H100", 8),
        ("Standard ND96isr H100 v5", "H100", 8),
        ("NDm_A100_v4", "A100", 8),
        ("NC_A100_v4", "A100 PCIe", None),  # of several sizes
        ("p5", "H100", None),
        ("p5.48xl", "H100", 8),
        ("p5-48xlarge", "H100", 8),
        ("p4d", "A100 40GB", 8),
        ("p6-b200", "B200", 8),
        ("a3-mega", "H100", 8),
        ("a3 megagpu 8g", "H100", 8),
        ("a3-ultragpu", "H200", 8),
        ("BM.GPU.H100", "H100", 8),
        ("bm-gpu-mi300x-8", "MI300X", 8),
        ("gpu_8x_h100_sxm5", "H100", 8),  # parts in any order
        ("gpu_8x_a100_80gb_sxm4", "A100", 8),
        ("gpu_1x_h100_pcie", "H100 PCIe", 1),
        ("HGX H100 8-GPU", "H100", 8),
        ("NVIDIA H100 Tensor Core GPU", "H100", None),
        ("AMD Instinct MI300X Accelerator", "MI300X", None),
        ("RTX 4090 24GB", "RTX 4090", None),
        ("4x NVIDIA L4 24GB", "L4", 4),
        ("8x MI300X 192GB", "MI300X", 8),
    ],
)
def test_accelerators_and_machines_have_spellings(text: str, gpu: str, gpus: float | None) -> None:
    assert CHIPS.find(text) == Accelerators(gpu, gpus)


def test_a_slice_is_the_share_of_the_memory_that_its_name_says() -> None:
    for text in (
        "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        "NVIDIA-H100-80GB-HBM3-MIG-3g.40gb",
        "H100 MIG 3g.40gb",
    ):
        found = CHIPS.find(text)
        assert found is not None and found.gpu == "H100" and found.gpus == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "text",
    ["H1000", "0xH100", "-8xH100", "8x", "x", "", "p5.49xlarge", "H100 or H200", "A100 60GB", "ND_A100_v4"],
)
def test_what_names_no_accelerator_is_not_taken_for_one(text: str) -> None:
    assert CHIPS.find(text) is None


def test_every_spelling_of_the_tables_is_found_and_means_one_accelerator() -> None:
    means = defaultdict(set)
    for gpu, written in spellings(HARDWARE, ["gpu", "aliases"]).items():
        for name in written:
            means[gpu_key(name)].add(gpu)
            assert CHIPS.find(name) == Accelerators(gpu, None), name
    assert {name: gpus for name, gpus in means.items() if len(gpus) > 1} == {}
    for row in INSTANCES.itertuples():
        assert CHIPS.find(row.instance) == Accelerators(row.gpu, row.gpus), row.instance


@pytest.mark.parametrize(
    ("words", "name", "bits"),
    [
        (["bf16", "bfloat16", "BF16", "fp16", "float16", "half", "torch.bfloat16", "BF-16"], "bf16", 16),
        (["fp8", "FP8", "FP-8", "fp8_e4m3", "fp8_e5m2", "e4m3", "e4m3fn", "fp8-dynamic"], "fp8", 8),
        (["int8", "w8a8", "W8A8", "smoothquant"], "int8", 8),
        (["w8a16", "8bit"], "w8a16", 8),
        (["awq", "AWQ", "gptq", "int4", "w4a16", "gptq_marlin", "bnb-4bit", "nf4"], "w4a16", 4.25),
        (["fp4", "mxfp4"], "fp4", 4.25),
        (["nvfp4", "NVFP4", "NVFP-4"], "fp4", 4.5),
        (["q4_K_M", "Q4_0", "iq4_xs", "UD-Q4_K_XL"], "w4a16", 4.8),
        (["q8_0"], "w8a16", 8.5),
        (["q6_K", "Q6_K_L"], "w8a16", 6.6),
        (["q3_k_m", "IQ3_XXS"], "w4a16", 3.9),
        (["q2_k", "iq2_xxs"], "w4a16", 2.9),
        (["fp32", "float32", "torch.float32", "tf32"], "fp32", 32),
        (["fp6", "mxfp6", "int6", "6bit", "w6a16"], "w8a16", 6.25),
        (["int3", "3-bit", "w3a16"], "w4a16", 3.25),
        (["4.65bpw"], "w4a16", 4.65),
    ],
)
def test_words_of_precision(words: list[str], name: str, bits: float) -> None:
    for word in words:
        found = precision(word)
        assert found is not None and (found.name, found.bits, found.guess) == (name, bits, ""), word
        again = precision(found.word)
        assert again is not None and (again.name, again.bits) == (name, bits)


@pytest.mark.parametrize(("word", "guess"), [("gguf", "q4_K_M"), ("marlin", "int4"), ("exl2", "int4")])
def test_words_that_leave_the_bits_open_mean_the_usual_ones(word: str, guess: str) -> None:
    found, usual = precision(word), precision(guess)
    assert found is not None and usual is not None
    assert (found.name, found.bits, found.guess) == (usual.name, usual.bits, guess)


def test_unknown_precisions_are_none_and_names_of_models_say_theirs() -> None:
    assert [precision(word) for word in ("fp", "int", "8", "", "q7_0", "bf1", "int9", "12bit")] == [None] * 8
    said = {
        "meta-llama/Llama-3.1-405B-Instruct-FP8": "fp8",
        "nvidia/Llama-3.1-405B-Instruct-NVFP4": "fp4",
        "nvidia/DeepSeek-R1-0528-FP4-v2": "fp4",
        "TheBloke/Llama-2-70B-Chat-GPTQ": "w4a16",
        "RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8": "int8",
        "qwen3:235b-a22b-q4_K_M": "w4a16",
        "Llama 3.1 70B": None,
        "unsloth/Qwen3-32B-GGUF": "w4a16",
        "bartowski/Qwen3-32B-Q8_0-GGUF": "w8a16",
    }
    found = {name: precision_of(name) for name in said}
    assert {name: one and one.name for name, one in found.items()} == said


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vLLM", "vLLM"),
        ("vllm 0.11.0", "vLLM"),
        ("vLLM==0.8.5", "vLLM"),
        ("SGLang 0.5.3", "SGLang"),
        ("TensorRT-LLM v1.0", "TensorRT-LLM"),
        ("tensorrt_llm", "TensorRT-LLM"),
        ("TRT-LLM", "TensorRT-LLM"),
        ("llama.cpp", "llama.cpp"),
        ("TGI", "TGI"),
        ("vlm", None),
        ("0.11", None),
    ],
)
def test_engines_with_and_without_version(text: str, name: str | None) -> None:
    assert engine(text) == name


def test_a_shape_that_differs_from_the_model_it_names_is_refused(tmp_path: Path) -> None:
    table = pd.read_csv(PUBLISHED / "models.csv", dtype=str)
    at = table.index[table["model"] == "GLM-4.6"][0]
    for change in ({"layers": "93"}, {"same_shape_as": "Kimi K2 0905"}, {"same_shape_as": "GLM"}):
        spoiled = table.copy()
        spoiled.loc[at, list(change)] = list(change.values())
        spoiled.to_csv(tmp_path / "models.csv", index=False)
        with pytest.raises(
            InputError, match=rf"row {at + 2}, column 'same_shape_as'.*a model of the same shape"
        ):
            read_table(tmp_path / "models.csv", MODELS_CONTRACT)
