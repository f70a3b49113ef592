import pytest

from pipeline.fit.serving.model import ServingModel
from pipeline.fit.serving.names import gpu_key, gpu_names, short_name


@pytest.mark.parametrize(
    ("spelling", "model_name"),
    [
        ("meta-llama/Llama-3.1-405B-Instruct-FP8", "Llama 3.1 405B"),
        ("meta-llama/Meta-Llama-3.1-405B", "Llama 3.1 405B"),
        ("Llama 3.1 405B", "Llama 3.1 405B"),
        ("llama_3.1_405b", "Llama 3.1 405B"),
        ("Llama 3.3 70B", "Llama 3.1 70B"),  # the same shape
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "Qwen3 235B-A22B"),
        ("Qwen3 235B-A22B", "Qwen3 235B-A22B"),
        ("deepseek-ai/DeepSeek-R1-0528", "DeepSeek-V3"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "Llama 3.1 70B"),  # not DeepSeek-R1
        ("google/gemma-3-27b-it", "Gemma 3 27B"),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", "Nemotron Nano 9B v2"),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "Mixtral 8x22B"),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "Llama 4 Maverick"),
        ("Llama3.1-70B", "Llama 3.1 70B"),
        ("gptoss-120b", "gpt-oss-120b"),
        ("nvidia/DeepSeek-R1-0528-FP4-v2", "DeepSeek-V3"),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "Mistral Small 24B"),
        ("microsoft/Phi-4-reasoning-plus", "Phi-4"),
        ("zai-org/GLM-5.1-FP8", "GLM-5"),
        ("Nemotron Ultra 253B", ""),
        ("Llama 3.1 4050B", ""),
        ("", ""),
    ],
)
def test_spellings_mean_a_shape(model: ServingModel, spelling: str, model_name: str) -> None:
    assert model.tables.names.resolve(spelling) == model_name


def test_no_two_models_share_a_spelling(model: ServingModel) -> None:
    models = model.tables.models
    own = [short_name(name) for name in models["model"]]
    assert len(set(own)) == len(own)
    assert [model.tables.names.resolve(name) for name in models["model"]] == list(models["model"])
    assert [model.tables.names.resolve(name) for name in models["upstream"]] == list(models["model"])


def test_accelerators_have_spellings(model: ServingModel) -> None:
    names = gpu_names(model.tables.hardware.reset_index())
    for spelling in ("h100", "H100 80GB HBM3", "NVIDIA H100-SXM", "H100-SXM-80GB", "NVIDIA H100 80GB HBM3"):
        assert names[gpu_key(spelling)] == "H100"
    assert names[gpu_key("A100-40GB")] == "A100 40GB"
    assert names[gpu_key("A100-SXM4-80GB")] == names[gpu_key("A100-80GB")] == "A100"
    assert names[gpu_key("AMD Instinct MI300X")] == names[gpu_key("mi300x")] == "MI300X"
    assert gpu_key("H100") != gpu_key("H100 PCIe")
