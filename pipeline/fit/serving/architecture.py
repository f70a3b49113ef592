"""Shape of a model, and what follows from it by formula: bytes, FLOPs and cache per step and token.

Nothing here is fitted. Arrays have shape (n,), one entry a configuration.
"""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Four-bit formats carry one 8-bit scale for 32 (MXFP4) or 16 (NVFP4) values.
WEIGHT_BITS = {"fp4": 4.25, "fp8": 8.0, "bf16": 16.0}
FOUR_BIT = ["MXFP4", "INT4"]
STATE_ELEMENTS = 2 * 128  # elements of a recurrent state per unit of hidden size: twice as wide, 128 deep
# Routing is neither uniform nor independent: T tokens touch as many experts as T ** 0.8 such tokens would. Of
# 1, 0.8, 0.7 and 0.6, this predicts held-out models best (RMSE of ln throughput 0.163, 0.159, 0.166, 0.177).
ROUTING_EXPONENT = 0.8
LATENT_ROPE_DIM = 64
LATENT_HEAD_DIM = 128


@dataclass(frozen=True)
class Architecture:
    """Shapes of n models; float arrays (n,)."""

    total_params: Array
    active_params: Array  # used per token
    layers: Array
    hidden_size: Array
    attention_heads: Array
    kv_heads: Array  # 1 for latent attention: one shared latent
    head_dim: Array
    full_layers: Array  # attend to the whole context
    sliding_layers: Array
    window_tokens: Array
    state_layers: Array  # keep a state of fixed size
    latent_dim: Array  # latent and position elements a token and layer; 0 if not latent
    experts: Array  # 1 for dense
    experts_per_token: Array
    vocab_size: Array
    native_four_bit: Array  # 1 where the published weights have four bits
    known: Array  # 1 where read from the model table, 0 where guessed from parameter counts

    def take(self, index: NDArray[np.integer]) -> "Architecture":
        """The models at these positions."""
        return Architecture(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def where(self, mask: NDArray[np.bool_], other: "Architecture") -> "Architecture":
        """This architecture where the mask holds, the other elsewhere."""
        return Architecture(
            **{f.name: np.where(mask, getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        )

    @property
    def is_moe(self) -> NDArray[np.bool_]:
        """Whether a token uses only some experts."""
        return np.asarray(self.experts > 1)

    @property
    def expert_share(self) -> Array:
        """Share of the routed experts that one token uses; 0 for dense models."""
        return np.where(self.is_moe, self.experts_per_token / self.experts, 0.0)

    @property
    def routed_params(self) -> Array:
        """Parameters in routed experts, from total - active = routed * (1 - k / E)."""
        routed = (self.total_params - self.active_params) / np.maximum(1 - self.expert_share, 1e-9)
        return np.where(self.is_moe, np.clip(routed, 0, self.total_params), 0.0)

    def touched_params(self, tokens: Array) -> Array:
        """Parameters expected to be read in a step of `tokens` tokens."""
        shared = self.total_params - self.routed_params
        embedding = self.vocab_size * self.hidden_size  # looked up, not multiplied
        read = 1 - (1 - self.expert_share) ** np.maximum(tokens, 1) ** ROUTING_EXPONENT
        return np.maximum(shared - embedding, 0.3 * shared) + self.routed_params * read

    def attended_tokens(self, context: Array) -> Array:
        """Tokens attended to, summed over layers, at a context of `context` tokens."""
        return self.full_layers * context + self.sliding_layers * np.minimum(context, self.window_tokens)

    def cache_elements(self, context: Array) -> Array:
        """Cache elements of one sequence of `context` tokens, read at every decode step."""
        per_token = np.where(self.latent_dim > 0, self.latent_dim, 2 * self.kv_heads * self.head_dim)
        state = self.state_layers * self.hidden_size * STATE_ELEMENTS
        return per_token * self.attended_tokens(context) + state

    def attention_flops(self, context: Array) -> Array:
        """FLOPs of scores and values for one token that attends to `context` tokens."""
        width = np.where(self.latent_dim > 0, 2 * self.latent_dim - LATENT_ROPE_DIM, 2 * self.head_dim)
        return 2 * self.attention_heads * width * self.attended_tokens(context)

    def matmul_flops_per_token(self) -> Array:
        """FLOPs of the weights for one decoded token."""
        return 2 * self.active_params

    def prompt_flops_per_token(self) -> Array:
        """FLOPs of the weights for one prompt token, which needs no output layer."""
        without_output = 2 * (self.active_params - self.vocab_size * self.hidden_size)
        return np.maximum(without_output, self.active_params)


def from_table(models: pd.DataFrame) -> Architecture:
    """Architecture of every row of the model table (contract MODELS)."""

    def number(column: str, blank: float = 0.0) -> Array:
        return np.asarray(models[column].astype("float64").fillna(blank), dtype=float)

    latent = number("latent_rank") + number("latent_rope_dim")
    return Architecture(
        total_params=number("total_params_b") * 1e9,
        active_params=number("active_params_b") * 1e9,
        layers=number("layers"),
        hidden_size=number("hidden_size"),
        attention_heads=number("attention_heads"),
        kv_heads=np.where(latent > 0, 1, number("kv_heads")),
        head_dim=np.where(latent > 0, LATENT_HEAD_DIM, number("head_dim")),
        full_layers=number("full_attention_layers"),
        sliding_layers=number("sliding_layers"),
        window_tokens=number("window_tokens"),
        state_layers=number("state_layers"),
        latent_dim=latent,
        experts=number("experts", 1),
        experts_per_token=number("experts_per_token", 1),
        vocab_size=number("vocab_size"),
        native_four_bit=np.asarray(models["native_precision"].isin(FOUR_BIT), dtype=float),
        known=np.ones(len(models)),
    )


def weight_bits(precision: pd.Series, native_four_bit: Array) -> Array:
    """Bits a weight; models published in four bits keep them whatever the precision of the arithmetic."""
    bits = precision.map(WEIGHT_BITS).to_numpy(float)
    return np.where(native_four_bit > 0, np.minimum(bits, WEIGHT_BITS["fp4"]), bits)
