# %% [markdown]
# # 2. The published analysis and its claims
#
# What goes into the published analysis, what comes out per query and for a fleet, and whether each published
# number is reproduced. Energy is that of the whole data centre: node power times PUE.
#
# ## Settings
#
# `variant` names the variant to show (see *Variants* below).

# %% tags=["parameters"]
variant = "v2"

# %%
import sys

import pandas as pd

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, holds, one_of

project = Project()
energy = project.table("data/results/energy_per_query.csv")
energy = energy[energy["analysis"] == "as_published"]
one_of("variant", variant, energy["variant"])
fleet = project.table("data/results/fleet.csv")
claims = project.table("data/results/claims.csv")

# %% [markdown]
# ## What goes in
#
# Five models, each with a few published throughput rows. Throughput is log-linear in input and output
# tokens, fitted per model and capped at its largest row; a model with two rows takes the larger one. A row
# that is not used stands in the authors' table and not in their fit.

# %%
rows = project.table("paper/tables/throughput.csv")
columns = ["model", "gpu", "gpus", "precision", "input_tokens", "output_tokens", "output_tokens_per_s"]
rows[[*columns, "used_by_authors"]]

# %%
fits = project.table("data/results/published_throughput_fit.csv")
coefficients = ["intercept", "slope_input", "slope_output"]
fits[["model", "method", "rows", *coefficients, "largest_tokens_per_s", "pi90_factor_short"]]

# %% [markdown]
# `pi90_factor_short` is how far a 90 % prediction interval of throughput reaches either way at the length
# of a chat query. The published ranges carry none of it. Three rows for three coefficients leave no
# error at all.
#
# Everything else is an assumption with a source and a reason. These are the ones of the released code that
# all models share; how single models are served, and what the variants below replace, stands in the same
# table.

# %%
assumptions = project.table("paper/tables/assumptions.csv")
shared = ~assumptions["key"].str.startswith(("model.", "reference."))
assumptions[(assumptions["variant"] == "base") & shared][["key", "value", "unit", "source", "reason"]]


# %% [markdown]
# ## Energy per query
#
# ### Chat queries


# %%
def shown(regime):
    """Rows of one regime, with mean, median, quartiles and the Monte Carlo error of the median."""
    chosen = energy[(energy["variant"] == variant) & (energy["regime"] == regime)]
    columns = ["subject", "mean_wh", "p25_wh", "p50_wh", "p75_wh", "mc_error_p50_wh", "n_draws"]
    return chosen[columns]


shown("short")

# %%
project.figure("fig-1a")

# %%
project.figure("fig-1b")

# %% [markdown]
# ### Reasoning queries

# %%
shown("long")

# %%
project.figure("fig-2a")

# %%
project.figure("fig-2b")

# %% [markdown]
# ## A billion queries a day
#
# Means of the uncut blend, times queries, times overhead factors. The interval is the 90 % Monte Carlo
# interval of that mean: it shrinks with the number of draws and says nothing about the assumptions.

# %%
day = fleet[fleet["variant"] == variant]
day[["scenario", "component", "value_gwh_per_day", "p5_gwh_per_day", "p95_gwh_per_day"]]

# %%
project.figure("fig-3a")

# %%
project.figure("fig-3b")

# %% [markdown]
# ## What became of every published number
#
# Verdicts by kind of claim. `released_code` is compared on the authors' own random numbers and has to agree
# to the last printed digit; `printed` is compared with the precise result. Claims without a published
# derivation are held against the re-estimate instead (`supported`, `partly supported`, `not supported`).

# %%
judgement = claims["verdict"].fillna(claims["support"])
pd.crosstab([claims["judged_by"], claims["kind"]], judgement, margins=True)

# %% [markdown]
# What differs, and why:

# %%
differs = claims[claims["verdict"] == "differs"]
said = ["published_value", "published_low", "published_high"]
differs[["key", *said, "ours_value", "ours_low", "ours_high", "reason"]]

# %% [markdown]
# What cannot be computed, and why:

# %%
open_claims = claims[claims["verdict"] == "cannot be computed"]
open_claims[["key", "quantity", "verdict", "reason"]]

# %% [markdown]
# What is held against evidence: the claimed range, least and largest of our medians, and their 90 %
# intervals:

# %%
held = claims[claims["judged_by"] == "re-estimate"]
ours = ["ours_low", "ours_high", "ours_ci90_low", "ours_ci90_high"]
held[["key", *said, *ours, "support", "reason"]]

# %% [markdown]
# ## Measurements that the analysis sets beside its own
#
# Its values are those of the facility, most of the others' those of accelerators alone. Where a source's
# own row is at hand: Wh a query as printed and in that row, then J per output token at one boundary, the
# facility.

# %%
beside = project.table("data/results/table_1.csv").dropna(subset=["source_wh"])
per_token = ["recomputed_facility_j_per_output_token", "paper_j_per_output_token", "paper_over_recomputed"]
beside[["comparator", "model", "regime", "printed_wh", "source_wh", "between_gpus", *per_token]]

# %% [markdown]
# ## Variants
#
# One choice changed at a time. `v2` is the released code, `v1` the node powers of the first version,
# `v2_text` the ranges printed in the text, `v2_untrimmed` the blend without cutting. A name that ends in
# `_authors_stream` is the same on the authors' random numbers.

# %%
blend = energy[(energy["analysis"] == "as_published") & (energy["subject"] == "blend")]
blend[["variant", "regime", "mean_wh", "p25_wh", "p50_wh", "p75_wh", "mc_error_p50_wh"]]

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
released = claims[claims["kind"] == "released_code"]
judged = claims[claims["compared_with"] != "nothing"]
unmet = claims["verdict"].isin(["differs", "cannot be computed"])
assert judged["tolerance_reason"].notna().all(), "every comparison says why its tolerance is what it is"
assert claims.loc[unmet, "reason"].notna().all(), "and every claim that is not met, why"

# %%
untrimmed = energy[(energy["variant"] == "v2_untrimmed") & (energy["subject"] == "blend")].set_index("regime")
trimmed = energy[(energy["variant"] == "v2") & (energy["subject"] == "blend")].set_index("regime")
ordered = energy["p25_wh"].le(energy["p50_wh"]) & energy["p50_wh"].le(energy["p75_wh"])
assert ordered.all(), "percentiles are ordered"
# What follows depends on the assumptions: it is shown, so that a what-if run can end and say so.
holds(
    {
        "the released code's values come out to the last digit": (released["verdict"] == "exact").all(),
        "cutting narrows the range from below": (trimmed["p25_wh"] > untrimmed["p25_wh"]).all(),
        "cutting narrows the range from above": (trimmed["p75_wh"] < untrimmed["p75_wh"]).all(),
    }
)
