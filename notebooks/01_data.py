# %% [markdown]
# # 1. The data
#
# Everything rests on two kinds of tables. What documents say was transcribed by hand, one value or one
# configuration a row, with source, place, unit, boundary and how it was read. What instruments measured was
# derived by code from public files that a registry names by hash. This notebook shows what there is and
# where it is thin.
#
# ## Settings
#
# `throughput_set` says which published throughput is shown.

# %% tags=["parameters"]
throughput_set = "published_analysis"

# %%
import re
import sys

import pandas as pd

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, holds, one_of

project = Project()
published = {
    path.stem: project.table(f"data/published/{path.name}")
    for path in sorted((project.root / "data/published").glob("*.csv"))
}
one_of("throughput_set", throughput_set, published["throughput"]["set"])

# %% [markdown]
# ## Transcribed from documents
#
# `read at the source` is the share of rows read in the source itself. The others were read in somebody's
# account of it, such as the tables of specifications that another project keeps, or worked out from its
# data. Blank: not asked row by row.

# %%
pd.DataFrame(
    {
        "rows": {name: len(table) for name, table in published.items()},
        "sources": {name: table["source"].nunique() for name, table in published.items()},
        "read at the source": {
            name: round((table["confidence"] == "seen-primary").mean(), 2)
            for name, table in published.items()
            if "confidence" in table
        },
    }
)

# %% [markdown]
# ### Published throughput
#
# The published analysis rests on a few of these rows for each model. A row that is not used stands in the
# authors' table and not in their fit.

# %%
rows = published["throughput"]
columns = ["model", "gpu", "gpus", "precision", "input_tokens", "output_tokens", "concurrency"]
rows[rows["set"] == throughput_set][[*columns, "output_tokens_per_s", "used_by_authors", "source"]]

# %% [markdown]
# ### Models and accelerators
#
# The serving model is built from the shape of a model and the rated speed of a chip.

# %%
facts = published["hardware"]
speeds = ["memory_gib", "bandwidth_tb_s", "peak_bf16_tflops"]
facts[["gpu", "generation", *speeds, "rated_w", "node_rated_kw", "source"]]

# %% [markdown]
# ## Measured
#
# Every measured row is used by a fit, scored by a check, or set aside with a reason; here by source and
# laboratory:

# %%
measured = project.table("build/telemetry/serving_measurements.parquet")
project.table("data/results/sources.csv").fillna("")

# %% [markdown]
# Power of whole servers at the wall is rarer. These are all runs at hand; a flagged run is kept and not
# fitted.

# %%
servers = project.table("data/telemetry/node_power.csv")
servers[["run", "gpu", "gpus", "mean_w", "floor_w", "output_tokens_per_s", "j_per_output_token", "flags"]]

# %% [markdown]
# ## Traffic
#
# How long prompts and answers are decides more than any other input. Means and quantiles of the traces of
# production (those of a benchmark, by model, stand in the same table):

# %%
lengths = project.table("data/telemetry/token_lengths.csv")
production = lengths[lengths["workload"].str.contains("production")]
production[["source", "workload", "quantity", "requests", "mean", "p5", "p50", "p95"]]

# %% [markdown]
# Which family describes them is decided on parts of a trace that were left out of the fit. The chosen one
# beside the exponential that the published analysis takes for answers; a likelihood is better when it is
# higher, an error of quantiles (in natural logarithm) when it is lower:

# %%
fits = project.table("data/results/length_fits.csv")
shown = fits[(fits["chosen"] == "yes") | (fits["family"] == "exponential")]
shown[["traffic", "quantity", "family", "held_out_log_likelihood", "held_out_quantile_error", "chosen"]]

# %%
project.figure("fig-r9-lengths")

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
keys = set(re.findall(r"^@\w+\{([^,\s]+),", project.text("paper/references.bib"), flags=re.MULTILINE))
for name, table in published.items():
    assert not table.duplicated().any(), f"{name}: no row stands twice"
    if "source" in table:
        assert table["source"].notna().all(), f"{name}: every row names its source"
        assert set(table["source"]) <= keys, f"{name}: every source stands in the bibliography"
    if "unit" in table:
        assert table["unit"].notna().all(), f"{name}: every value has its unit"
assert measured["key"].is_unique and measured["boundary"].notna().all(), (
    "each measurement once, with its boundary"
)
assert (fits["chosen"] == "yes").groupby([fits["traffic"], fits["quantity"]]).sum().le(1).all(), (
    "one family each"
)

# %%
ratio = measured["gpu_w"] / measured["output_tokens_per_s"] / measured["gpu_j_per_output_token"]
agrees = ratio.dropna().between(0.95, 1.05)
kinds = len(set(servers["gpu"]))
generations = facts.loc[facts["gpu"].isin(measured["gpu"]), "generation"].nunique()
holds(
    {
        "energy a token is power over throughput, within 5 %, where a source gives all three": agrees.all(),
        "more than one generation of accelerators is measured": generations > 1,
        "whole servers of more than one kind are measured at the wall": kinds > 1,
    }
)
