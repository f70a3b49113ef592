# %% [markdown]
# # 4. Energy per query
#
# What a query takes, with its full uncertainty; what moved the number away from the published one; and which
# unknowns matter.
#
# ## Settings
#
# `boundary` is `gpu`, `node` or `facility`; `regime` is `short` (chat) or `long` (reasoning); `service` is a
# class of services or a model of the first table, shown at every boundary.

# %% tags=["parameters"]
boundary = "facility"
regime = "short"
service = "large mixture-of-experts"

# %%
import sys

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, banded, holds, one_of

project = Project()
energy = project.table("data/results/re_estimated.csv")
bridge = project.table("data/results/bridge.csv")
shares = project.table("data/results/variance_shares.csv")
one_of("boundary", boundary, energy["boundary"])
one_of("regime", regime, bridge["regime"])
one_of("service", service, energy["subject"])

# %% [markdown]
# ## What a query takes
#
# Wh. The first number is the median over the queries of a service, and what we do not know about the
# service moves it within the brackets (90 % interval). `single queries` has that uncertainty and the
# differences between queries (P5 to P95). The mean stands above the median because a few queries are long.
# Nothing is cut. "Long" with production lengths is any query to a reasoning model.


# %%
def in_wh(rows):
    """Median, mean and single queries, each with its interval."""
    return {
        "median": banded(rows, "median_{}_wh"),
        "mean": banded(rows, "mean_{}_wh"),
        "single queries": banded(rows, "total_{}_wh"),
    }


here = energy[(energy["boundary"] == boundary) & (energy["regime"] == regime)]
here[["variant", "subject"]].assign(**in_wh(here)).set_index(["variant", "subject"])

# %% [markdown]
# One of them at every boundary, and for every kind of query:

# %%
of_service = energy[energy["subject"] == service]
places = ["variant", "regime", "boundary"]
of_service[places].assign(**in_wh(of_service)).set_index(places)

# %%
project.figure("fig-hero")

# %%
project.figure("fig-where-the-wh-goes")

# %% [markdown]
# ## From the published number to this one
#
# Each step keeps those before it; another order would divide the change differently. A ratio is to the step
# before.

# %%
medians = ["median_wh", "median_wh_ratio", "median_step"]
bridge.loc[bridge["regime"] == regime, ["name", "change", *medians, "mean_wh", "mean_wh_ratio", "mean_step"]]

# %%
project.figure("fig-r8-bridge")

# %% [markdown]
# ## Which unknowns matter
#
# Shares of the variance of the logarithm: of one query drawn at random, and of the mean over queries, whose
# spread is uncertainty alone. What is missing from 1 are interactions. A group that is fixed by assumption
# has no share: with the published lengths, the mean over queries owes nothing to length, because nobody
# asked how long queries are.

# %%
own = shares[shares["regime"] == regime]
own.pivot_table(index=["variant", "subject", "target"], columns="group", values="first_order", sort=False)

# %%
project.figure("fig-r7-variance-shares")

# %% [markdown]
# One input at a time from its 5th to its 95th percentile, all others at their medians: Wh at the facility,
# mean over queries.

# %%
tornado = project.table("data/results/tornado.csv").rename(columns={"energy_at_median_wh": "energy_p50_wh"})
bars = tornado.assign(energy=banded(tornado, "energy_{}_wh"))
bars.pivot_table(index="input", columns=["variant", "regime"], values="energy", aggfunc="first", sort=False)

# %% [markdown]
# ## Beside other estimates
#
# Boundaries and methods differ, so each kind has its row; only what is measured at the facility compares
# directly.

# %%
project.figure("fig-r5-prior-estimates")

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
wide = energy.set_index(["variant", "regime", "subject", "boundary"])
for name in ("median", "mean", "total"):
    assert (wide[f"{name}_p5_wh"] <= wide[f"{name}_p50_wh"]).all(), "percentiles are ordered"
    assert (wide[f"{name}_p50_wh"] <= wide[f"{name}_p95_wh"]).all(), "percentiles are ordered"
by_boundary = wide["median_p50_wh"].unstack("boundary")
assert by_boundary["gpu"].lt(by_boundary["node"]).all(), "a server takes more than its accelerators"
assert by_boundary["node"].le(by_boundary["facility"]).all(), "a facility takes no less than its servers"

# %%
keys = ["variant", "regime", "subject", "boundary"]
published = project.table("data/results/energy_per_query.csv").set_index(keys)
steps = bridge.set_index(["regime", "name"])["median_wh"]
for kind in ("short", "long"):
    start = published.loc[("v2", kind, "blend", "facility"), "p50_wh"]
    end = wide.loc[("production_lengths", kind, "blend", "facility"), "total_p50_wh"]
    assert abs(steps[kind, "published"] / start - 1) < 1e-4, "the bridge starts at the published analysis"
    assert abs(steps[kind, "lengths"] / end - 1) < 1e-2, "and ends at the re-estimate"

# %%
width = wide["median_p95_wh"] - wide["median_p5_wh"]
explained = shares.groupby(["variant", "regime", "target"])["first_order"].sum()
single, middle = "total_{}_wh", "median_{}_wh"
wider = [
    wide[single.format("p5")].le(wide[middle.format("p5")]).all(),
    wide[single.format("p95")].ge(wide[middle.format("p95")]).all(),
]
holds(
    {
        "a single query is less certain than a median, below and above": all(wider),
        "Monte Carlo error is far below uncertainty": wide["mc_error_median_p50_wh"].lt(0.05 * width).all(),
        "first-order shares stay below the whole, but for sampling error": explained.lt(1.1).all(),
    }
)
