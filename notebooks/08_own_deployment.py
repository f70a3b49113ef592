# %% [markdown]
# # 8. Your own deployment
#
# Two ways to put in what you run. If you know the configuration, the fitted model predicts throughput,
# power, energy and water. If you have logs of requests and of power, they are turned into energy and water
# per query directly. This notebook shows both on the example files of the repository.
#
# ## Settings
#
# `quantities` of the predictions are shown; `configuration` is the name of a row, shown in full.

# %% tags=["parameters"]
configuration = "quiet"
quantities = ["output_tokens_per_s", "facility_wh_per_query", "total_ml_per_query"]

# %%
import sys

import pandas as pd

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, banded, holds, one_of

project = Project()
given = project.table("data/examples/configurations.csv")
predicted = project.table("build/examples/predictions.csv")
for quantity in quantities:
    one_of("quantities", quantity, [name.removesuffix("_p50") for name in predicted.filter(like="_p50")])

one_of("configuration", configuration, predicted["name"])

# %% [markdown]
# ## From a configuration
#
# ```sh
# python -m pipeline.predict data/examples/configurations.csv -o predictions.csv
# ```
#
# One row a configuration; a copy of the file takes your own, and so do spreadsheets, Parquet and JSON
# lines. A model that the tables do not know needs its parameter counts. What is left blank is assumed, and
# `assumed` says how.

# %%
given

# %% [markdown]
# Out come the same rows with the 5th, 50th and 95th percentile of each quantity, here as median and 90 %
# interval. `basis` says what a row rests on: a measured configuration, other measurements of the model, all
# models together, or an extrapolation. An instance serves at the stated concurrency all the time (below one
# it is idle in between); servers kept for a peak are not charged.

# %%
results = {name: banded(predicted, f"{name}_{{}}") for name in quantities}
shown = ["name", "model", "gpu", "gpus", "precision", "concurrency"]
predicted[shown].assign(**results, basis=predicted["basis"], assumed=predicted["assumed"])

# %% [markdown]
# One row in full, quantity by quantity:

# %%
row = predicted[predicted["name"] == configuration]
names = [name.removesuffix("_p50") for name in row.filter(like="_p50") if row[name].notna().all()]
pd.concat({name: banded(row, f"{name}_{{}}") for name in names}).droplevel(1).rename(configuration).to_frame()

# %% [markdown]
# `compare_to` names another row. The ratio is taken in each draw, so that what both rows share cancels:

# %%
compared = predicted[predicted["compare_to"].notna()]
ratios = {name: banded(compared, f"{name}_ratio_{{}}") for name in quantities}
compared[["name", "compare_to"]].assign(**ratios)

# %% [markdown]
# ## With measurements of your own
#
# Laboratories differ by more than the model errs inside one of them. Put what you measured beside a row, and
# the prediction leans on it: left, where laboratories stand; right, the error over the rows that were given.

# %%
project.figure("fig-r10-laboratories")

# %% [markdown]
# ## From logs
#
# ```sh
# python -m pipeline.logs data/examples/requests.csv data/examples/power.csv.gz -o out
# ```
#
# The example logs are synthetic and no measurement. Requests of a window share its energy by their output
# tokens and `weight_input` times their input tokens: prefill over decode, fitted to the model or, as for
# these made-up ones, to the measured models. Windows without requests are idle, and their energy is shown
# apart.

# %%
project.table("build/examples/models.csv").set_index("model").T

# %% [markdown]
# What became of every row and every Wh of the logs:

# %%
project.table("build/examples/account.csv")

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
assert len(predicted) == len(given), "every configuration has its prediction"
power = ["output_tokens_per_s", "gpu_w", "gpu_j_per_output_token"]
for name in [*power, "node_wh_per_query", "facility_wh_per_query"]:
    percentiles = predicted[[f"{name}_p5", f"{name}_p50", f"{name}_p95"]]
    assert percentiles.diff(axis=1).iloc[:, 1:].ge(0).all(axis=None), "percentiles are ordered"
servers, sites = predicted["node_wh_per_query_p50"], predicted["facility_wh_per_query_p50"]
assert sites.ge(servers).all(), "PUE is at least 1"
account = project.table("build/examples/account.csv").set_index(["log", "outcome"])["node_wh"]
drawn, charged = account["power_series", "in"].sum(), account["power_series", "used"].sum()
assert abs(charged / drawn - 1) < 1e-4, "every Wh of the power log is accounted for"

# %%
holds(
    {
        "every row of the example can run": predicted["status"].eq("ok").all(),
        "an instance that is mostly idle costs more a query": compared.set_index("name").loc[
            "quiet", "node_wh_per_query_ratio_p5"
        ]
        > 1,
    }
)
