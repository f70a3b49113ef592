"""Formulas against values worked out by hand from the published shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.ingest.contract_facts import MODELS
from pipeline.serving.model.architecture import Architecture, fit_shape_rules, from_parameters, from_table

TABLE = read_table("data/published/models.csv", MODELS)
SHAPES = from_table(TABLE)
NUMBERS = from_params("serving").shape.values


def shape(name: str) -> Architecture:
    return SHAPES.take(np.flatnonzero(TABLE["model"] == name))


def at(tokens: float) -> np.ndarray:
    return np.array([tokens])


@pytest.mark.parametrize(
    ("name", "bytes_per_token"),
    [
        ("Llama 3.1 70B", 2 * 80 * 8 * 128 * 2),  # keys and values, layers, heads, head size, bytes
        ("Llama 3.1 8B", 2 * 32 * 8 * 128 * 2),
        ("DeepSeek-V3", 61 * (512 + 64) * 2),  # one latent a layer
        ("Qwen3 235B-A22B", 2 * 94 * 4 * 128 * 2),
    ],
)
def test_cache_bytes_per_token(name: str, bytes_per_token: int) -> None:
    grows = shape(name).cache_elements(at(1001)) - shape(name).cache_elements(at(1000))
    assert grows[0] * 2 == pytest.approx(bytes_per_token)


def test_the_cache_of_llama_70b_takes_327680_bytes_a_token() -> None:
    assert shape("Llama 3.1 70B").cache_elements(at(1))[0] * 2 == 327_680


def test_windows_stop_growing() -> None:
    gpt_oss = shape("gpt-oss-120b")
    grows = gpt_oss.cache_elements(at(2001)) - gpt_oss.cache_elements(at(2000))
    assert grows[0] == 18 * 2 * 8 * 64  # the 18 layers that see everything


def test_states_do_not_grow() -> None:
    nemotron = shape("Nemotron Nano 9B v2")
    grows = nemotron.cache_elements(at(2001)) - nemotron.cache_elements(at(2000))
    assert grows[0] == 4 * 2 * 8 * 128
    assert nemotron.cache_elements(at(0))[0] == 27 * 4480 * 2 * 128


def test_a_dense_model_reads_all_weights_but_the_embedding() -> None:
    llama = shape("Llama 3.1 70B")
    assert llama.touched_params(at(1), NUMBERS)[0] == pytest.approx(70.6e9 - 128_256 * 8192)
    assert llama.touched_params(at(1000), NUMBERS)[0] == llama.touched_params(at(1), NUMBERS)[0]


def test_experts_touched_grow_from_the_active_to_all() -> None:
    mixtral = shape("Mixtral 8x7B")
    routed = (46.7e9 - 12.9e9) / (1 - 2 / 8)
    assert mixtral.routed_params[0] == pytest.approx(routed)
    embedding = 32_000 * 4096
    assert mixtral.touched_params(at(1), NUMBERS)[0] == pytest.approx(12.9e9 - embedding)
    assert mixtral.touched_params(at(2), NUMBERS)[0] == pytest.approx(
        46.7e9 - routed - embedding + routed * (1 - 0.75 ** (2**0.8))
    )
    assert mixtral.touched_params(at(1000), NUMBERS)[0] == pytest.approx(46.7e9 - embedding)


def test_score_flops_of_a_decoded_token() -> None:
    # scores and weighted values: two products of 2 FLOPs an element
    llama, latent = shape("Llama 3.1 8B"), shape("DeepSeek-V3")
    assert llama.attention_flops(at(100))[0] == 4 * 32 * 128 * 32 * 100
    assert llama.prompt_attention_flops(at(100))[0] == 4 * 32 * 128 * 32 * 100
    assert latent.attention_flops(at(100))[0] == 2 * 128 * (512 + 64 + 512) * 61 * 100
    assert latent.prompt_attention_flops(at(100))[0] == 2 * 128 * (128 + 64 + 128) * 61 * 100


@given(st.floats(1, 1e5), st.floats(1.01, 4))
def test_more_context_never_costs_less(context: float, factor: float) -> None:
    tokens, more = np.full(len(TABLE), context), np.full(len(TABLE), context * factor)
    assert (SHAPES.cache_elements(more) > SHAPES.cache_elements(tokens)).all()
    assert (SHAPES.attention_flops(more) > SHAPES.attention_flops(tokens)).all()


def test_guessed_shapes_come_near_the_published_ones() -> None:
    guess = from_parameters(SHAPES.total_params, SHAPES.active_params, fit_shape_rules(TABLE))
    ordinary = (TABLE["attention"] == "full").to_numpy()
    for quantity in ("layers", "hidden_size"):
        ratio = getattr(guess, quantity)[ordinary] / getattr(SHAPES, quantity)[ordinary]
        assert np.median(np.abs(np.log(ratio))) < 0.25
    assert (guess.is_moe == SHAPES.is_moe).all()
