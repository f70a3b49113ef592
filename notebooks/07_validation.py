# %% [markdown]
# # 7. Validation
#
# Predictions against measurements that nothing was fitted to, and against what other methods say of the
# same rows. Some of these sets were looked at while the model was still changing: they are a test of the
# model and not a blind one.
#
# ## Settings
#
# `data_set` is a set of the table below, shown row by row.

# %% tags=["parameters"]
data_set = "mlperf_wall_power"

# %%
import sys

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, banded, holds, one_of

project = Project()
summary = project.table("data/results/validation_summary.csv")
rows = project.table("data/results/validation.csv")
peers = project.table("data/results/peers_summary.csv")
one_of("data_set", data_set, rows["set"])

# %% [markdown]
# ## Sources that were not fitted
#
# Errors are in natural logarithm, bias is that of measured over predicted; cover is the share of rows
# inside the 50 % and the 90 % interval. A set marked as a bound is not expected to match: its figure leaves
# something out, or holds something more.

# %%
summary

# %%
project.figure("fig-r4-energy-measured")

# %% [markdown]
# ### One set, row by row

# %%
these = rows[rows["set"] == data_set]
columns = ["configuration", "quantity", "unit", "measured", "predicted", "inside_90", "basis", "bound"]
these.assign(predicted=banded(these, "{}"))[columns]

# %% [markdown]
# What is to be known about these rows:

# %%
these.groupby("note", sort=False).size().rename("rows").to_frame()

# %% [markdown]
# ## What is missed
#
# Sets that should match, by the share of rows outside their 90 % interval. A share far above a tenth says
# that the interval is too narrow there, or the model wrong.

# %%
meant = rows[rows["bound"] == "no"]
missed = meant.assign(outside=meant["inside_90"].eq("no")).groupby(["set", "quantity", "basis"])["outside"]
missed.agg(["size", "mean"]).rename(columns={"size": "rows", "mean": "share outside"})

# %% [markdown]
# ## Other methods on the same rows
#
# Rows with measured batch were given to each method as it takes them: with its default batch, or with the
# measured one. `held_out` says whether the method had not seen them.

# %%
peers[peers["gpu"] == "all"].drop(columns="gpu")

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
percentiles = rows[["p5", "p25", "p50", "p75", "p95"]]
assert percentiles.diff(axis=1).iloc[:, 1:].ge(0).all(axis=None), "percentiles are ordered"
assert rows.loc[rows["bound"] == "yes", "note"].notna().all(), "every bound says why it is one"
keys = ["set", "quantity", "bound"]
counted = rows.groupby(keys).size()
assert counted.equals(summary.set_index(keys)["n"].rename(None)), "no row left out of the summary"

# %%
errors = peers[peers["gpu"] == "all"].set_index(["quantity", "method", "batch"])["rmse_ln"]
ours = errors.xs("this project", level="method").groupby("quantity").max()
others = errors.drop("this project", level="method").groupby("quantity").min()
matched = summary[summary["bound"] == "no"]
covered = matched["coverage_90"].ge(0.8)
better = ours.lt(others.reindex(ours.index))
holds(
    {
        "our error on rows left out is below that of the other methods": better.all(),
        "sets that should match have 80 % of their rows in the interval": covered.all(),
        "none of them is off by a factor of two in the middle": matched["median_abs_ln_error"].lt(0.69).all(),
    }
)
