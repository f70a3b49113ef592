"""Shape of a model, and what follows from it by formula: bytes, FLOPs and cache per step and token.

Arrays have shape (n,), one entry a configuration. Of a model of which only the parameter counts are known the
shape is the likely one:

    ln y = a + b ln(active) + c ln(total / active)

by least squares over the table's models with an ordinary cache in all layers, and for experts over those with
experts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.ingest.words import PRECISIONS
from pipeline.serving.model.settings import ShapeNumber

Array = NDArray[np.float64]
WEIGHT_BITS = {one.name: PRECISIONS[one.name].bits for one in PRECISIONS.values()}
OF_SHAPE = ("layers", "hidden_size", "attention_heads", "kv_heads", "head_dim", "vocab_size")
OF_EXPERTS = ("experts", "experts_per_token")
FOUR_BIT = ["MXFP4", "INT4"]
LATENT_HEAD_DIM = 128.0  # of keys without position, and of values, made from a latent (DeepSeek, Kimi)
STATE_ELEMENTS = 2 * 128  # elements of a recurrent state per unit of hidden size: twice as wide, 128 deep
SPARSE_FROM = 2.0  # total over active parameters from which a model has experts; none is between 1 and 3.6


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
    rope_dim: Array  # of these, position elements
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

    def touched_params(self, tokens: Array, shape: Mapping[ShapeNumber, float]) -> Array:
        """Parameters expected to be read in a step of `tokens` tokens.

        Routing is neither uniform nor independent: T tokens touch as many experts as fewer such tokens would.
        """
        shared = self.total_params - self.routed_params
        embedding = self.vocab_size * self.hidden_size  # looked up, not multiplied
        read = 1 - (1 - self.expert_share) ** np.maximum(tokens, 1) ** shape["routing_exponent"]
        return np.maximum(shared - embedding, shape["least_read"] * shared) + self.routed_params * read

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
        width = np.where(self.latent_dim > 0, 2 * self.latent_dim - self.rope_dim, 2 * self.head_dim)
        return 2 * self.attention_heads * width * self.attended_tokens(context)

    def prompt_attention_flops(self, context: Array) -> Array:
        """The same of a prompt, for which engines turn a latent into keys and values of each head."""
        width = np.where(self.latent_dim > 0, 2 * LATENT_HEAD_DIM + self.rope_dim, 2 * self.head_dim)
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
        head_dim=number("head_dim"),
        full_layers=number("full_attention_layers"),
        sliding_layers=number("sliding_layers"),
        window_tokens=number("window_tokens"),
        state_layers=number("state_layers"),
        latent_dim=latent,
        rope_dim=number("latent_rope_dim"),
        experts=number("experts", 1),
        experts_per_token=number("experts_per_token", 1),
        vocab_size=number("vocab_size"),
        native_four_bit=np.asarray(models["native_precision"].isin(FOUR_BIT), dtype=float),
        known=np.ones(len(models)),
    )


def weight_bits(precision: pd.Series, stated: Array, native_four_bit: Array) -> Array:
    """Bits a weight: as stated, else of the precision; models published in four bits keep them in any."""
    bits = np.where(np.isnan(stated), precision.map(WEIGHT_BITS).to_numpy(float), stated)
    return np.where(native_four_bit > 0, np.minimum(bits, WEIGHT_BITS["fp4"]), bits)


@dataclass(frozen=True)
class ShapeRules:
    """Coefficients (3,) of ln y for each quantity."""

    coefficients: dict[str, Array]


def _design(total_params: Array, active_params: Array) -> Array:
    active = np.log(active_params)
    return np.column_stack([np.ones(len(active)), active, np.log(total_params) - active])


def fit_shape_rules(models: pd.DataFrame) -> ShapeRules:
    """Least squares over the models that have it."""
    shape = from_table(models)
    usual = (models["attention"] == "full").to_numpy()
    design = _design(shape.total_params, shape.active_params)
    return ShapeRules(
        {
            name: np.linalg.lstsq(design[among], np.log(getattr(shape, name)[among]), rcond=None)[0]
            for names, among in ((OF_SHAPE, usual), (OF_EXPERTS, shape.is_moe))
            for name in names
        }
    )


def from_parameters(total_params: Array, active_params: Array, rules: ShapeRules) -> Architecture:
    """Best guess of the shape; total and active parameters have shape (n,)."""
    design = _design(total_params, active_params)
    guess = {name: np.exp(design @ c) for name, c in rules.coefficients.items()}
    sparse = total_params > SPARSE_FROM * active_params
    experts = np.where(sparse, np.maximum(guess["experts"], 2), 1.0)
    zeros = np.zeros(len(total_params))
    return Architecture(
        total_params=total_params,
        active_params=active_params,
        **{name: guess[name] for name in OF_SHAPE},
        full_layers=guess["layers"],
        sliding_layers=zeros,
        window_tokens=zeros,
        state_layers=zeros,
        latent_dim=zeros,
        rope_dim=zeros,
        experts=experts,
        experts_per_token=np.where(sparse, np.clip(guess["experts_per_token"], 1, experts / 2), 1.0),
        native_four_bit=zeros,
        known=zeros,
    )
