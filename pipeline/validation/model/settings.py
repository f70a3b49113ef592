"""What validation has to assume where a measurement does not say how it was made."""

from pydantic import Field

from pipeline.core.assumption import Assumption, Fraction, Section, Tokens


class DeepSeekFleet(Section):
    """How DeepSeek's service of February 2025 ran, beside what data/published/token_lengths.csv holds."""

    cached_input_share: Fraction  # input tokens found in the cache: read, not computed
    rated_node_kw: Assumption  # the power behind the published upper bound


class Validation(Section):
    """Lengths and layouts that published measurements leave out."""

    mlperf_input_tokens: dict[str, Tokens] = Field(min_length=1)  # mean over the data set, by model
    ai_energy_score_input_tokens: Tokens
    steady_first_token_s: Assumption  # online rows that answer later have a growing queue
    deepseek: DeepSeekFleet


SETTINGS = Validation
