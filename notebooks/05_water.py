# %% [markdown]
# # 5. Water
#
# Water is counted where it is taken from a place: on site, where heat leaves the building, and in the
# electricity, where power stations evaporate it. Both follow from the energy of the same draws: on site,
# what the servers draw times WUE; in the electricity, energy at the facility times the water intensity of
# the grid. PUE, WUE and grid belong to one site and are drawn together.
#
# ## Settings
#
# `variant` says whose lengths, `regime` is `short` or `long`.

# %% tags=["parameters"]
variant = "production_lengths"
regime = "short"

# %%
import sys

import pandas as pd

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, banded, holds, one_of

project = Project()
water = project.table("data/results/water_per_query.csv")
split = project.table("data/results/water_split.csv")
sites = project.table("data/results/water_sites.csv")
one_of("variant", variant, split["variant"])
one_of("regime", regime, split["regime"])

# %% [markdown]
# ## The sites
#
# Published factors, and what a median query takes there as built: the sites that take least water
# altogether, and those that take most. All are in `data/results/water_sites.csv`.

# %%
built = sites[sites["design"] == "as built"].sort_values("p50_total_ml", kind="stable")
factors = ["pue", "wue_l_per_kwh", "electricity_l_per_kwh"]
extremes = pd.concat([built.head(6), built.tail(6)])
extremes[["name", "provider", "cooling", *factors, "p50_onsite_ml", "p50_total_ml"]]

# %% [markdown]
# ## Water of a query
#
# Of the blend of large models, in mL, at each scenario of sites. First the median over queries with the 90
# % interval, then single queries, which differ as well (median, P5 to P95); last the published
# energy at the same sites, so that energy and water can be told apart. Consumption is what evaporates;
# withdrawal is what is taken in, most of which may go back, and the two are never added.

# %%
keys = ["basis", "site_scenario", "scope"]
of_blend = (split["subject"] == "blend") & (split["variant"] == variant)
chosen = split[of_blend & (split["regime"] == regime)].set_index(keys)
as_published = (water["analysis"] == "as_published") & (water["subject"] == "blend")
published = water[as_published & (water["regime"] == regime)].set_index(keys)
pd.DataFrame(
    {
        "median": banded(chosen, "median_{}_ml"),
        "single queries": banded(chosen, "total_{}_ml"),
        "published energy, draws": banded(published, "{}_ml"),
    },
    index=chosen.index,
)

# %%
project.figure("fig-w2-water-scenarios")

# %% [markdown]
# ## What others publish
#
# Water per query as its source states it. Scope and basis differ, and so do the queries. Of the many places
# of one source (`li2025thirsty`) only the average of the United States is shown.

# %%
prior = project.table("data/published/prior_water.csv")
elsewhere = (prior["source"] == "li2025thirsty") & ~prior["subject"].str.contains("US average")
columns = ["subject", "value", "low", "high", "unit", "scope", "basis", "energy_wh", "method", "source"]
prior[~elsewhere][columns]

# %%
project.figure("fig-w1-published-waters")

# %% [markdown]
# ## Saving water on site
#
# A closed loop takes no water on site and raises PUE, so that the electricity takes more.
# `saves_water_share` is the share of our simulated services in which it saves water altogether: the sites
# where that is least likely, and those where it is most.

# %%
closed = sites[sites["design"] == "closed loop"].sort_values("saves_water_share", kind="stable")
before = built.set_index("site")["p50_total_ml"].rename("as_built_ml")
compared = pd.concat([closed.head(6), closed.tail(6)]).merge(before, on="site", validate="1:1")
totals = ["as_built_ml", "p50_total_ml"]
compared[["name", "provider", "cooling", "pue", "electricity_l_per_kwh", *totals, "saves_water_share"]]

# %%
project.figure("fig-w3-closed-loop")

# %% [markdown]
# ## What the spread rests on
#
# Shares of the variance of the mean over queries.

# %%
shares = project.table("data/results/water_shares.csv")
these = shares[(shares["variant"] == variant) & (shares["regime"] == regime) & (shares["scope"] == "total")]
these.pivot_table(index="site_scenario", columns="group", values="share", sort=False)

# %% [markdown]
# ## A billion queries a day
#
# Million litres a day of the published mix of chat and reasoning queries, median and P5 to P95.

# %%
fleet = project.table("data/results/water_fleet.csv")
ours = (fleet["analysis"] == "re_estimated") & (fleet["variant"] == variant) & (fleet["scenario"] == "mixed")
day = fleet[ours]
day.assign(day=banded(day, "{}_million_l_per_day")).pivot_table(
    index=["basis", "site_scenario"], columns="scope", values="day", aggfunc="first", sort=False
)

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
percentiles = water[["p5_ml", "p25_ml", "p50_ml", "p75_ml", "p95_ml"]]
assert percentiles.diff(axis=1).iloc[:, 1:].ge(0).all(axis=None), "percentiles are ordered"
cases = ["analysis", "variant", "regime", "subject", "basis", "site_scenario"]
means = water.pivot_table(index=cases, columns="scope", values="mean_ml")
parts = means["onsite"] + means["offsite"]
assert parts.sub(means["total"]).abs().le(1e-4 * means["total"]).all(), "means add up"
dry = built[built["wue_l_per_kwh"] == 0]
assert dry["p95_onsite_ml"].eq(0).all(), "no WUE: no water on site"
assert dry["p5_offsite_ml"].gt(0).all(), "and still water in the electricity"

# %%
medians = water.pivot_table(index=cases, columns="scope", values="p50_ml")
gap = (medians["onsite"] + medians["offsite"]).sub(medians["total"]).abs()
consumed = chosen.loc["consumption"]
by_scope = consumed.pivot_table(index="site_scenario", columns="scope", values="median_p50_ml")
electricity_leads = by_scope["offsite"].gt(by_scope["onsite"])
saves = closed["saves_water_share"].gt(0.5)
holds(
    {
        "medians of the parts do not make up the median of the whole": gap.gt(0.01 * medians["total"]).any(),
        "the electricity takes more than the site, everywhere": electricity_leads.all(),
        "a closed loop saves water at every site, more likely than not": saves.all(),
    }
)
