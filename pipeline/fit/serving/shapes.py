"""The likely shape of a model of which only the parameter counts are known.

ln y = a + b ln(active) + c ln(total / active), least squares over the model table's ordinary models, for
y = layers, hidden size, heads times head size, KV heads times head size.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.fit.serving.architecture import Architecture, Array, from_table

HEAD_DIM = 128.0
SPARSE_FROM = 2.0  # total over active parameters from which a model has experts; none is between 1 and 3.6
ROUTED_SHARE = 0.65  # of the active parameters of models with experts; 0.55 to 0.7 in the table
MANY_EXPERTS, FEW_EXPERTS = 128.0, 8.0
SMALL_MODEL = 3e9  # below it, vocabularies are small


@dataclass(frozen=True)
class ShapeRules:
    """Coefficients (3,) of ln y for each quantity."""

    coefficients: dict[str, Array]


def _design(total_params: Array, active_params: Array) -> Array:
    active = np.log(active_params)
    return np.column_stack([np.ones(len(active)), active, np.log(total_params) - active])


def fit_shape_rules(models: pd.DataFrame) -> ShapeRules:
    """Least squares over models whose layers all have an ordinary cache."""
    shape = from_table(models)
    usual = (shape.latent_dim == 0) & (shape.state_layers == 0) & (shape.sliding_layers == 0)
    targets = {
        "layers": shape.layers,
        "hidden_size": shape.hidden_size,
        "query_width": shape.attention_heads * shape.head_dim,
        "kv_width": shape.kv_heads * shape.head_dim,
    }
    design = _design(shape.total_params, shape.active_params)[usual]
    return ShapeRules(
        {name: np.linalg.lstsq(design, np.log(y[usual]), rcond=None)[0] for name, y in targets.items()}
    )


def from_parameters(total_params: Array, active_params: Array, rules: ShapeRules) -> Architecture:
    """Best guess of the shape; total and active parameters have shape (n,)."""
    design = _design(total_params, active_params)
    guess = {name: np.exp(design @ c) for name, c in rules.coefficients.items()}
    sparse = total_params > SPARSE_FROM * active_params
    share = np.clip(ROUTED_SHARE * active_params / total_params, 1e-3, 1)
    experts = np.where(sparse, np.where(share > 0.1, FEW_EXPERTS, MANY_EXPERTS), 1.0)
    zeros, ones = np.zeros(len(total_params)), np.ones(len(total_params))
    return Architecture(
        total_params=total_params,
        active_params=active_params,
        layers=guess["layers"],
        hidden_size=guess["hidden_size"],
        attention_heads=guess["query_width"] / HEAD_DIM,
        kv_heads=guess["kv_width"] / HEAD_DIM,
        head_dim=HEAD_DIM * ones,
        full_layers=guess["layers"],
        sliding_layers=zeros,
        window_tokens=zeros,
        state_layers=zeros,
        latent_dim=zeros,
        experts=experts,
        experts_per_token=np.where(sparse, np.maximum(experts * share, 1), 1.0),
        vocab_size=np.where(active_params < SMALL_MODEL, 5e4, 1.3e5),
        native_four_bit=zeros,
        known=zeros,
    )
