/* What the model of the what-if panel is given and what it keeps: packed arrays, queries, percentiles over worlds. */
(function () {
  "use strict";

  const PERCENTS = [5, 50, 95];

  /* -- Reading ------------------------------------------------------------------------------------------ */

  function unpack(packed) {
    const text = atob(packed.data);
    const values = new Float64Array(text.length / 2);
    for (let i = 0; i < values.length; i++) {
      const steps = text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8);
      const shown = packed.low + packed.step * steps;
      values[i] = packed.ln ? Math.exp(shown) : shown;
    }
    return values;
  }

  const unpackAll = (packed) =>
    Object.fromEntries(Object.entries(packed).map(([name, one]) => [name, one.data === undefined ? one : unpack(one)]));

  function readDeployment(item, engine) {
    const engines = item.engines.map((one) => ({
      centre: one.centre.map(unpack),
      lengths: one.lengths.map(unpack),
      core: one.core.map(unpack),
      scores: one.scores.map(unpack),
      lnCapacity: Float64Array.from(one.ln_capacity),
    }));
    const place = new Int32Array(engine.length); // of a world among those of its engine
    const counts = engines.map(() => 0);
    for (let w = 0; w < engine.length; w++) place[w] = counts[engine[w]]++;
    return { ...item, engines, place, requests: unpack(item.requests) };
  }

  function readTraffic(item) {
    const found = { ...item, moments: item.alike_in_all_worlds ? item.moments : unpackAll(item.moments) };
    if (!item.alike_in_all_worlds) {
      found.levels = unpackAll(item.levels);
      found.spearman = unpack(item.spearman);
    }
    return found;
  }

  /* -- Lengths of queries --------------------------------------------------------------------------------- */

  // Standard normal quantiles, by Simpson sums of the density on a fine grid.
  const NORMAL = (function () {
    const from = -8.5, step = 1 / 256, count = 4353;
    const density = (z) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    const reached = new Float64Array(count);
    for (let i = 1; i < count; i++) {
      const z = from + (i - 1) * step;
      reached[i] = reached[i - 1] + (density(z) + 4 * density(z + step / 2) + density(z + step)) * step / 6;
    }
    return { from, step, reached };
  })();

  function normalQuantile(probability) {
    const { from, step, reached } = NORMAL;
    let low = 0, high = reached.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (reached[middle] <= probability) low = middle; else high = middle;
    }
    return from + step * (low + (probability - reached[low]) / (reached[high] - reached[low] || 1));
  }

  function atNormal(normal, values, z) {
    const position = (z - normal[0]) / (normal[1] - normal[0]);
    const low = Math.min(Math.max(Math.floor(position), 0), values.length - 2);
    const share = Math.min(Math.max(position - low, 0), 1);
    return (1 - share) * values[low] + share * values[low + 1];
  }

  // Points of a lattice, shifted anew in every world.
  function drawQueries(traffic, normal, worlds, [size, step]) {
    const input = new Float64Array(worlds * size), output = new Float64Array(worlds * size);
    const tables = [traffic.quantiles.input_tokens, traffic.quantiles.output_tokens];
    for (let w = 0; w < worlds; w++) {
      const r = traffic.spearman ? 2 * Math.sin(Math.PI * traffic.spearman[w] / 6) : 0;
      const levelIn = traffic.levels ? traffic.levels.input_tokens[w] : 1;
      const levelOut = traffic.levels ? traffic.levels.output_tokens[w] : 1;
      const shift = [w * Math.SQRT2, w * Math.sqrt(3)];
      for (let q = 0; q < size; q++) {
        const u = (shift[0] + (q * step % size) / size) % 1, v = (shift[1] + q / size) % 1;
        const first = normalQuantile(u), second = r * first + Math.sqrt(1 - r * r) * normalQuantile(v);
        const at = w * size + q;
        input[at] = Math.max(1, Math.round(levelIn * atNormal(normal, tables[0], first)));
        output[at] = Math.max(1, Math.round(levelOut * atNormal(normal, tables[1], second)));
      }
    }
    return { input, output, size };
  }

  /* -- Percentiles over worlds ---------------------------------------------------------------------------- */

  // Sorted lists, each times its factor, into one sorted list.
  function merge(lists, factors, merged) {
    const next = lists.map(() => 0);
    for (let i = 0; i < merged.length; i++) {
      let least = Infinity, from = 0;
      for (let m = 0; m < lists.length; m++) {
        const value = next[m] < lists[m].length ? lists[m][next[m]] * factors[m] : Infinity;
        if (value < least) { least = value; from = m; }
      }
      merged[i] = least;
      next[from]++;
    }
  }

  // Hazen's positions in sorted values from..to.
  function quantile(sorted, percent, from, to) {
    const size = to - from, position = Math.min(Math.max(percent / 100 * size - 0.5, 0), size - 1);
    const low = Math.floor(position), high = Math.min(low + 1, size - 1);
    return (1 - position + low) * sorted[from + low] + (position - low) * sorted[from + high];
  }

  // Means over replicates of each replicate's percentile, and the Monte Carlo error of the median.
  function band(data, values) {
    const each = data.worlds / data.replicates, found = PERCENTS.map(() => 0), middles = [];
    for (let r = 0; r < data.replicates; r++) {
      const sorted = values.slice(r * each, (r + 1) * each).sort();
      PERCENTS.forEach((p, i) => { found[i] += quantile(sorted, p, 0, each) / data.replicates; });
      middles.push(quantile(sorted, 50, 0, each));
    }
    const spread = middles.reduce((sum, value) => sum + (value - found[1]) ** 2, 0) / (data.replicates - 1);
    return { p5: found[0], p50: found[1], p95: found[2], mcError: Math.sqrt(spread / data.replicates) };
  }

  globalThis.WhatIfDraws = {
    PERCENTS, unpack, unpackAll, readDeployment, readTraffic, drawQueries, merge, quantile, band,
  };
})();
