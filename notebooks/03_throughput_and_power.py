# %% [markdown]
# # 3. The models of throughput and power
#
# How many tokens a second an instance serves, and how many watts it draws while it does. The published
# analysis fits throughput for each model by itself and takes power as a share of its rating. Here one model
# of a decoding step, built from what the step must read, compute and exchange, is fitted to all measured
# rows together, with the power that goes with it. This notebook shows what it predicts of rows that it did
# not see.
#
# ## Settings
#
# `quantity` is `output_tokens_per_s`, `gpu_w` or
# `gpu_j_per_output_token`.

# %% tags=["parameters"]
quantity = "gpu_j_per_output_token"

# %%
import sys

sys.path.append("notebooks")  # where this runs from the root of the repository
from review import Project, holds, one_of

project = Project()
comparison = project.table("data/results/model_comparison.csv")
held_out = project.table("data/results/heldout_predictions.csv")
one_of("quantity", quantity, comparison["quantity"])

# %% [markdown]
# ## What a request costs
#
# Seconds of an instance for a request of `I` input and `O` output tokens, at a given number of requests in
# flight: `a I + b O + k O (I + O/2)`. The first term is the prompt, the second what every step reads
# whatever the context, the third the growing context. Power of the accelerators goes with how fast a step
# is for its hardware. The coefficients below stand on the rated speeds: 0 in `ln` means that the chip's
# rating is reached, 0.7 that a term takes twice as long.

# %%
steps = project.table("data/results/serving_model/step_parameters.csv")
steps[steps["effect"] == "coefficient"][["level", "prior_ln", "prior_sd", "ln", "ln_sd"]]

# %% [markdown]
# `weights` and `kv` read the weights and the cache, `matmul` and `attention` compute, `prefill` and
# `prefill_attention` do so for the prompts, `exchange` sends activations between accelerators; `kernels`
# and `sync` are overheads of a layer in units of 10 µs, `token` of a request in the batch (10 µs), `step`
# of a step and `request` of a request (1 ms).
#
# What differs between laboratories, engine versions, models, chips and single configurations is drawn around
# these. A level that nobody measured has the mean and the spread of those that were. The components of the
# variance, by a mixed model of the log residuals of the plain form (`ratio_90`: the factor between the ends
# of a 90 % interval that this component alone makes):

# %%
project.table("data/results/variance_components.csv")

# %% [markdown]
# ## Laboratories left out of the fit
#
# Each laboratory in turn is predicted from all others: by the chosen form, by the plain form with a factor
# for the laboratory, and by pooled regressions.

# %%
selection = project.table("data/results/model_selection.csv")
of_form = ["left_out", "form", "chosen", "laboratories", "n", "mean_median_abs_ln_error", "sd_of_bias_ln"]
selection[selection["quantity"] == quantity][[*of_form, "coverage_90", "p95_over_p5"]]

# %%
project.table("data/results/serving_laboratories.csv")

# %% [markdown]
# What the basis of a prediction is worth, and how fast measurements of one's own help: median error, cover of
# the 90 % interval, and its width beside that without own rows.

# %%
project.table("data/results/basis_errors.csv")

# %%
project.table("data/results/calibration_curve.csv")

# %% [markdown]
# ## Rows left out of the fit
#
# Leaving out a cell asks how well the model fills a gap, leaving out a configuration or a model how well it
# carries over. Errors are in natural logarithm: 0.1 is about ten per cent. Cover is the share of rows
# inside the interval; the spreads of residuals were set on the same folds, so cover is calibrated and not
# independent.

# %%
errors = ["median_abs_ln_error", "rmse_ln", "bias_ln"]
of_quantity = comparison[comparison["quantity"] == quantity]
of_quantity[["rows", "left_out", "form", "chosen", "n", *errors, "coverage_90"]]

# %%
project.figure("fig-r1-throughput")

# %%
project.figure("fig-r2-energy-batch")

# %%
project.figure("fig-r3-power-batch")

# %% [markdown]
# ### The worst predictions
#
# Rows outside their 90 % interval under the chosen form: the ten that are furthest off, and what each rests
# on.

# %%
chosen = comparison[(comparison["chosen"] == "yes") & (comparison["quantity"] == quantity)]
rows = held_out.merge(chosen[["rows", "left_out", "form", "quantity"]])
outside = rows[(rows["measured"] < rows["predicted_p5"]) | (rows["measured"] > rows["predicted_p95"])]
outside = outside.assign(measured_over_predicted=outside["measured"] / outside["predicted_p50"])
far = outside["measured_over_predicted"].sub(1).abs().sort_values(ascending=False, kind="stable").index[:10]
columns = ["key", "left_out", "concurrency", "measured", "predicted_p50", "measured_over_predicted", "basis"]
outside.loc[far, columns]

# %% [markdown]
# ## From accelerators to the server
#
# Power at the wall is `fixed + (1 + loss)` times accelerator power, and at idle a share of their rating.
# Only one kind of server was measured at the wall under this load; `identified_by` says what each term
# rests on.

# %%
project.table("data/results/node_power_fits.csv")[["gpu", "term", "p5", "p50", "p95", "identified_by"]]

# %% [markdown]
# What that makes of a server of eight at four shares of their rated power, W; `ratio_p50` is the wall over
# the accelerators.

# %%
curves = project.table("data/results/node_power_curves.csv")
at = curves["gpu_share"].round(2).isin([0.3, 0.5, 0.7, 0.9])
walls = ["node_w_p5", "node_w_p50", "node_w_p95"]
curves[at][["gpu", "gpu_share", "gpu_w", *walls, "ratio_p50", "rated_node_w"]]

# %% [markdown]
# ## How far demand lies below its peak
#
# Capacity follows the peak, so the mean over the peak is the load that a service kept for its peak runs at.

# %%
evidence = project.table("data/results/load_evidence.csv")
evidence[["service", "quantity", "window_s", "mean_over_peak", "source"]]

# %% [markdown]
# ## Checks
#
# What a reviewer would check first. A cell that fails stops the pipeline.

# %%
predicted = held_out.filter(like="predicted_").dropna()  # rows of TensorRT-LLM have no interval
assert (predicted.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None), "percentiles are ordered"
assert (curves["node_w_p50"] > curves["gpu_w"]).all(), "a server takes more than its accelerators"

# %%
best = comparison[comparison["chosen"] == "yes"].set_index(["rows", "left_out", "quantity"])
batch = project.table("data/results/batch_curves.csv")
curve = batch.groupby("configuration")["gpu_j_per_output_token_p50"]
falls = curve.agg(lambda values: values.diff().dropna().lt(0).all())
covered = best["coverage_90"].dropna().between(0.8, 0.99)
holds(
    {
        "the 90 % interval covers between 80 and 99 % of the rows left out": covered.all(),
        "no bias above a tenth on rows left out": best["bias_ln"].abs().lt(0.1).all(),
        "energy a token falls with the batch in nine of ten measured configurations": falls.mean() >= 0.9,
    }
)
