# %% [markdown]
# # 6. Levers and the fleet
#
# What lowers the energy of a query, what a day of a fleet takes, and what the bands rest on. A scenario is
# a choice and its numbers are plain; what no choice settles is drawn.
#
# ## Settings
#
# `group` of levers (scale, models, routing, serving, hardware, `datacentre`) is shown row by row for `regime`
# (short, long), `scenario` of the fleet in parts.

# %% tags=["parameters"]
group = "scale"
regime = "short"
scenario = "base"

# %%
import sys

import pandas as pd

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, banded, holds, one_of

project = Project()
days = project.table("data/results/fleet_scenarios.csv")
levers = project.table("data/results/lever_systems.csv")
one_of("group", group, levers["group"])
one_of("regime", regime, ("short", "long"))
one_of("scenario", scenario, days["scenario"])

# %% [markdown]
# ## Levers
#
# A gain is how many times less energy the same work takes; below 1 it is a loss. A band is the 90 %
# interval, or the least and the largest of several published values; a bound (`up to`)
# has no middle. The caption says what the grades of evidence mean.

# %%
project.figure("fig-what-to-do-first")

# %% [markdown]
# One group row by row:

# %%
these = levers[(levers["group"] == group) & levers["regime"].isin([regime, "task"])]
these[["system", "compared", "load", "quantity", "basis", "grade"]].assign(gain=banded(these, "{}"))

# %% [markdown]
# Efficiency over the size of the system, from one user on one node to saturation:

# %%
project.figure("fig-l1-scale")

# %% [markdown]
# The ladder of accelerators, each on what is known of it:

# %%
project.figure("fig-l3-hardware")

# %% [markdown]
# ### All together
#
# A lever that is applied after another acts on what is left. `naive` multiplies the published ranges as if
# they were independent, `overlap` takes account of what levers share, `graded` leaves out evidence below B
# and levers outside their regime, `to come` what services have in production already. `within_8_to_20` is
# the share of our simulated services in which the published range holds.

# %%
combined = project.table("data/results/lever_combinations.csv")
keys = ["regime", "combination"]
last = combined["order"] == combined.groupby([*keys, "sequence"])["order"].transform("max")
ends = combined[last & (combined["sequence"] == "models first")].set_index(keys)
pd.DataFrame({"gain": banded(ends, "cumulative_{}"), "within_8_to_20": ends["worlds_8_to_20"]})

# %% [markdown]
# ## Routing
#
# Energy of all queries over that with a share of them sent to a small model:

# %%
project.figure("fig-f3-routing")

# %% [markdown]
# The share of queries that a gain needs, with its 90 % interval. `worlds_reaching` is the share of our
# simulated services in which the gain can be had at all; `published_share` the most that a published router
# sends away at nearly the quality of the large model, and `worlds_within_published` how often that is
# enough; routers were measured on short answers alone.

# %%
needed = project.table("data/results/routing_needed.csv")
columns = ["pair", "regime", "gain", "worlds_reaching", "share_needed"]
needed = needed.assign(share_needed=banded(needed, "share_{}"))
needed[[*columns, "published_share", "worlds_within_published"]]

# %% [markdown]
# A commercial router, by its profiles: where its prompts went, and the gain. What it did not send to a
# listed size has no share.

# %%
profiles = project.table("data/results/routing_profiles.csv")
columns = ["regime", "profile", "prompts", "share_small", "share_middle", "share_large"]
profiles[columns].assign(gain=banded(profiles, "{}"))

# %% [markdown]
# ## The data centre
#
# Moving a service from one kind of site to another divides its energy by this much; both ends are drawn.

# %%
moves = project.table("data/results/datacentre_lever.csv")
moves[["from_site", "to_site", "from_pue_p50", "to_pue_p50"]].assign(gain=banded(moves, "{}", digits=3))

# %% [markdown]
# ## A day of a fleet
#
# GWh a day, with the 90 % interval, beside the published value where the scenario is a
# published one. The scenarios are those of `params.yaml`; each says what it replaces in the first.

# %%
totals = days[(days["quantity"] == "energy") & (days["component"] == "total")]
totals[["scenario", "title", "published_value"]].assign(gwh_per_day=banded(totals, "{}"))

# %%
project.figure("fig-f1-fleet-scenarios")

# %% [markdown]
# One scenario in parts. Power, nodes (servers of eight accelerators) and water follow from the same draws;
# peak power is that of all servers kept for the service, each as busy as it is configured for.

# %%
parts = days[days["scenario"] == scenario]
parts[["quantity", "component", "unit"]].assign(value=banded(parts, "{}"))

# %% [markdown]
# Next to things people know: `value_gwh_per_day` is theirs, `ratio` the fleet over it.

# %%
comparisons = project.table("data/results/fleet_comparisons.csv")
beside = comparisons[comparisons["scenario"] == scenario]
beside[["compared_with", "value_gwh_per_day", "source"]].assign(ratio=banded(beside, "{}"))

# %% [markdown]
# ### What stands between accelerators and the fleet
#
# The published fleet puts three factors on top of energy that holds power of the node and PUE already. Ours
# has host, idle servers, and PUE in the energy, each with its spread, and nothing on top.

# %%
overheads = project.table("data/results/fleet_overheads.csv")
overheads[["analysis", "factor", "what", "source"]].assign(ratio=banded(overheads, "{}", digits=3))

# %% [markdown]
# ## What the bands rest on
#
# Shares of the variance of the logarithm of a day's energy; what no row counts are interactions.

# %%
shares = project.table("data/results/fleet_shares.csv")
shares.pivot_table(index="scenario", columns="group", values="first_order", sort=False)

# %% [markdown]
# Choices combined, each with each (`scenario.fleet.sweep` in `params.yaml`):

# %%
sweep = project.table("data/results/fleet_sweep.csv")
sweep = sweep[(sweep["quantity"] == "energy") & (sweep["component"] == "total")]
sweep.pivot_table(index=["agentic_share", "long_share"], columns="small_share", values="p50")

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
assert (days["p5"].le(days["p50"]) & days["p50"].le(days["p95"])).all(), "percentiles are ordered"
with_value = days[days["published_value"].notna()]
assert with_value["published_claim"].notna().all(), "every published value names its claim"
curve = project.table("data/results/routing_curve.csv").sort_values("share_small")
rises = curve.groupby(["pair", "regime"])["p50"].agg(lambda gains: gains.is_monotonic_increasing)
assert rises.all(), "the more queries a small model takes, the larger the gain"
assert levers["sources"].notna().all() and levers["grade"].notna().all(), "every lever: a source, a grade"
both = combined[last].pivot_table(index=keys, columns="sequence", values="cumulative_p50")
apart = both.max(axis=1).div(both.min(axis=1)).sub(1)
assert apart.lt(1e-4).all(), "the order of the levers changes nothing in the end"
assert days.loc[days["quantity"] == "energy", "p5"].ge(0).all(), "energy is never negative"

# %%
explained = shares.groupby("scenario")["first_order"].sum()
inside = with_value["published_value"].between(with_value["p5"], with_value["p95"])
narrow = days["mc_error_p50"].le(0.1 * (days["p95"] - days["p5"]))
holds(
    {
        "every published total lies inside our band for its scenario": inside.all(),
        "first-order shares stay below the whole, but for sampling error": explained.lt(1.1).all(),
        "Monte Carlo error is at most a tenth of the band": narrow.all(),
    }
)
