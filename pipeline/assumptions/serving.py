"""What the model of serving takes as given, beside the measurements that it is fitted to."""

from typing import Literal

from pydantic import Field

from pipeline.assumptions.base import Correlation, Fraction, Ratio, Section, Tokens

Basis = Literal["measured configuration", "same model", "pooled", "extrapolated"]
BASES: tuple[Basis, ...] = ("measured configuration", "same model", "pooled", "extrapolated")
PowerForm = Literal["utilisation", "statistical", "mean of both"]


class ResidualSpread(Section):
    """Spread, ln, of what the model leaves unexplained: P95 over 1.645, the sd if it were normal."""

    step: Ratio  # of step time
    power: Ratio  # of GPU power


class ResidualScale(Section):
    """Scale, ln, of step-time residuals by source of the rows, in the fit."""

    mlenergy_v3: Ratio
    tensorrt_llm: Ratio
    argonne: Ratio


class TensorRtShare(Section):
    """Probability that a configuration of unstated engine runs like TensorRT-LLM rather than vLLM."""

    usual: Fraction  # accelerators on which both were measured
    one_engine: Fraction  # accelerators and precisions measured with TensorRT-LLM alone


class MeanLengths(Section):
    """Mean lengths of a request."""

    input_tokens: Tokens
    output_tokens: Tokens


class Serving(Section):
    """Settings of the fit and of its predictions."""

    throughput_form: Literal["step model"]  # chosen by data/results/model_comparison.csv
    power_form: PowerForm  # chosen by the same table
    chat_input_tokens: Tokens
    output_cv: Ratio  # of the answers of a service
    unstated_output_cv: Ratio  # of a configuration that does not give its own
    blank_lengths: MeanLengths
    residual_scale: ResidualScale
    residual_spread: dict[Basis, ResidualSpread] = Field(min_length=4)
    residual_correlation: Correlation  # of step time and GPU power
    guessed_shape_spread: ResidualSpread
    context_spread: ResidualSpread
    unstated_engine_spread: Ratio
    tensorrt_share: TensorRtShare
    memory_share: Fraction
    draws: int = Field(ge=200)
