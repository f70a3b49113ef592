/* The re-estimate in the browser: energy and water of a query of one service, in all worlds at once.

   Data: whatif.json (pipeline/estimate/what_if/export.py). Names and equations are those of the pipeline:
   cost_curves.py (terms over the batch), load.py (part load), node_power.py, query_energy.py, water/draws.py,
   nested.py (percentiles). What a setting leaves null keeps its draw in every world. */
(function () {
  "use strict";

  const { PERCENTS, unpack, unpackAll, readDeployment, readTraffic, drawQueries, merge, quantile, band } = WhatIfDraws;
  const TERMS = 4; // B a, B b, B k in s, and power in W
  const LATTICES = { one: [89, 55], several: [55, 34] }; // queries of a world, where lengths vary; Fibonacci's
  const LEVERS = ["hardware", "model", "serving", "routing"];
  const SECONDS_PER_HOUR = 3600;
  const LEAST_LOAD = 0.01;

  /* -- Cost over lengths ---------------------------------------------------------------------------------- */

  // Weights of four neighbours on a grid that is even in ln, by Lagrange's cubic.
  function cubic(grid, value) {
    const nodes = grid.map(Math.log), x = Math.log(value);
    if (x < nodes[0] - 1e-9 || x > nodes[nodes.length - 1] + 1e-9) {
      throw new RangeError(`${value} tokens, expected ${Math.ceil(grid[0])} to ${Math.floor(grid[grid.length - 1])}`);
    }
    let low = 0;
    while (low < nodes.length - 2 && nodes[low + 1] < x) low++;
    const start = Math.min(Math.max(low - 1, 0), nodes.length - 4);
    return [0, 1, 2, 3].map((j) => {
      let weight = 1;
      for (let k = 0; k < 4; k++) {
        if (k !== j) weight *= (x - nodes[start + k]) / (nodes[start + j] - nodes[start + k]);
      }
      return [start + j, weight];
    });
  }

  // [length point, weight] of the chosen traffic: one of the cases, or a place on the grid.
  function lengthWeights(data, settings) {
    if (settings.traffic !== "fixed") return [[data.cases.indexOf(settings.traffic), 1]];
    const found = [];
    for (const [i, x] of cubic(data.input_grid, settings.input_tokens)) {
      for (const [j, y] of cubic(data.output_grid, settings.output_tokens)) {
        found.push([data.cases.length + i * data.output_grid.length + j, x * y]);
      }
    }
    return found;
  }

  // Centre and loadings of the worlds' components at these lengths, and the cache's tokens.
  function atLengths(engine, weights) {
    const at = (values) => weights.reduce((sum, [point, weight]) => sum + weight * values[point], 0);
    const loadings = new Float64Array(engine.core[0].length);
    engine.core.forEach((core, s) => {
      const amount = at(engine.lengths[s]);
      for (let i = 0; i < core.length; i++) loadings[i] += amount * core[i];
    });
    return { centre: engine.centre.map(at), loadings, capacity: Math.exp(at(engine.lnCapacity)), most: 0 };
  }

  /* -- One deployment in every world ---------------------------------------------------------------------- */

  // a, b, k (s) and watts at every boundary, (worlds,); PUE is in the facility's.
  function serve(data, item, settings, context) {
    const n = data.worlds, columns = data.concurrency.length * TERMS, last = data.concurrency.length - 1;
    const weights = lengthWeights(data, settings);
    const engines = item.engines.map((engine) => atLengths(engine, weights));
    // A curve ends where the cache is full at the lengths that it is priced at.
    const priced = settings.traffic === "fixed" ? context(0) : data.traffic[settings.traffic].priced_context;
    for (const engine of engines) engine.most = Math.max(1, Math.min(data.concurrency[last], engine.capacity / priced));
    const server = data.servers[item.server];
    const names = ["a", "b", "k", "gpu", "node", "facility", "running"];
    const found = Object.fromEntries(names.map((name) => [name, new Float64Array(n)]));
    const term = new Float64Array(2 * TERMS);
    for (let w = 0; w < n; w++) {
      const u = Math.max(settings.utilisation ?? data.drawn.utilisation[w], LEAST_LOAD);
      const active = 1 - (settings.idle_share ?? data.drawn.idle_share[w]) * (1 - u);
      const { centre, loadings, capacity, most } = engines[data.engine[w]];
      const held = Math.min(capacity / context(w), most);
      const configured = Math.max(Math.min(settings.requests ?? item.requests[w], held), 1);
      const running = Math.min(Math.max(u / active * configured, data.concurrency[0]), most);
      let low = 0;
      while (low < last - 1 && data.concurrency[low + 1] < running) low++;
      const scores = item.engines[data.engine[w]].scores, at = item.place[w];
      for (let c = 0; c < 2 * TERMS; c++) {
        let ln = centre[low * TERMS + c];
        for (let r = 0; r < scores.length; r++) ln += scores[r][at] * loadings[r * columns + low * TERMS + c];
        term[c] = Math.exp(ln);
      }
      const from = data.concurrency[low], to = Math.min(data.concurrency[low + 1], most);
      if (to < data.concurrency[low + 1]) { // the last point of the curve is the full cache
        const along = Math.log(to / from) / Math.log(data.concurrency[low + 1] / from);
        for (let t = 0; t < TERMS; t++) term[TERMS + t] = term[t] * (term[TERMS + t] / term[t]) ** along;
      }
      const share = (running - from) / (to - from || 1), lnShare = Math.log(running / from) / (Math.log(to / from) || 1);
      const between = (t) => (1 - share) * term[t] + share * term[TERMS + t];
      const gpuW = (1 - lnShare) * term[3] + lnShare * term[TERMS + 3];
      const fixed = server.fixed_w[w] * item.gpus / data.server_gpus;
      const wall = (watts) => (fixed + server.loss[w] * watts) * server.factor[w] + watts;
      const nodeW = wall(gpuW), idleW = wall(server.gpu_idle_share[w] * server.rated_w * item.gpus);
      found.a[w] = between(0) / running;
      found.b[w] = between(1) / running;
      found.k[w] = between(2) / running;
      found.gpu[w] = gpuW;
      found.node[w] = nodeW;
      found.facility[w] = (settings.pue ?? data.drawn.pue[w]) * (nodeW + (1 / active - 1) * idleW);
      found.running[w] = running;
    }
    return found;
  }

  /* -- Energy of queries ---------------------------------------------------------------------------------- */

  // Energy per query at each boundary in every world: mean over queries; P5, median and P95 over queries.
  function energies(data, members, settings, queries) {
    const n = data.worlds, boundaries = ["gpu", "node", "facility"];
    const found = Object.fromEntries(boundaries.map((name) => [
      name, { mean: new Float64Array(n), p5: new Float64Array(n), median: new Float64Array(n), p95: new Float64Array(n) },
    ]));
    const fixed = settings.traffic === "fixed";
    const traffic = fixed ? null : data.traffic[settings.traffic];
    const input = Math.round(settings.input_tokens), output = Math.round(settings.output_tokens);
    const size = fixed ? 1 : queries.size;
    const drawn = new Float64Array(size * members.length), seconds = members.map(() => new Float64Array(size));
    const moment = (name, w) => (traffic.alike_in_all_worlds ? traffic.moments[name] : traffic.moments[name][w]);
    for (let w = 0; w < n; w++) {
      const meanSeconds = members.map(({ a, b, k }) => fixed
        ? a[w] * input + b[w] * output + k[w] * output * (input + output / 2)
        : a[w] * moment("input_tokens", w) + b[w] * moment("output_tokens", w)
          + k[w] * (moment("product", w) + moment("output_squared", w) / 2));
      members.forEach(({ a, b, k }, m) => {
        for (let q = 0; q < size; q++) {
          const i = fixed ? input : queries.input[w * size + q], o = fixed ? output : queries.output[w * size + q];
          seconds[m][q] = a[w] * i + b[w] * o + k[w] * o * (i + o / 2);
        }
        seconds[m].sort();
      });
      for (const name of boundaries) {
        const watts = members.map((member) => member[name][w] / SECONDS_PER_HOUR);
        const at = found[name];
        at.mean[w] = watts.reduce((sum, one, m) => sum + one * meanSeconds[m], 0) / members.length;
        merge(seconds, watts, drawn);
        [at.p5[w], at.median[w], at.p95[w]] = PERCENTS.map((p) => quantile(drawn, p, 0, drawn.length));
      }
    }
    return found;
  }

  /* -- Water ---------------------------------------------------------------------------------------------- */

  // Litres per kWh that servers draw, by scope, and the PUE of the sites, in every world.
  function siteFactors(data, settings) {
    const scenario = data.sites.scenarios[settings.site], n = data.worlds;
    const [onsite, offsite, total, pues] = [0, 1, 2, 3].map(() => new Float64Array(n));
    for (let w = 0; w < n; w++) {
      let at = 0;
      while (at < scenario.edges.length - 1 && scenario.edges[at] <= data.sites.uniforms[w]) at++;
      const pue = settings.pue ?? scenario.pue[at];
      pues[w] = pue;
      onsite[w] = settings.wue_l_per_kwh ?? scenario.wue_l_per_kwh[at] * data.sites.wue_factor[w];
      offsite[w] = pue * (settings.electricity_l_per_kwh
        ?? scenario.electricity_l_per_kwh[at] * data.sites.electricity_factor[w]);
      total[w] = onsite[w] + offsite[w];
    }
    return { litres: { onsite, offsite, total }, pues };
  }

  function gains(data, levers) {
    const total = new Float64Array(data.worlds).fill(1);
    for (const name of LEVERS) {
      const value = levers[name];
      if (value === 1) continue;
      const drawn = value === "drawn" ? data.levers[name].drawn : null;
      for (let w = 0; w < total.length; w++) total[w] *= drawn ? drawn[w] : value;
    }
    return total;
  }

  /* -- The model ------------------------------------------------------------------------------------------ */

  class Model {
    constructor(json) {
      const engine = unpack(json.engine).map(Math.round);
      this.data = {
        ...json,
        engine,
        drawn: unpackAll(json.drawn),
        servers: Object.fromEntries(Object.entries(json.servers).map(([name, one]) => [name, unpackAll(one)])),
        traffic: Object.fromEntries(Object.entries(json.traffic).map(([name, one]) => [name, readTraffic(one)])),
        deployments: json.deployments.map((item) => readDeployment(item, engine)),
        levers: Object.fromEntries(Object.entries(json.levers).map(([name, one]) => [name, { ...one, drawn: unpack(one.drawn) }])),
        sites: { ...unpackAll({ uniforms: json.sites.uniforms, wue_factor: json.sites.wue_factor,
          electricity_factor: json.sites.electricity_factor }), scenarios: json.sites.scenarios },
      };
      this.queries = {};
    }

    /* Energies (gpu_energy, node_energy, facility_energy, Wh) and waters (onsite_, offsite_, total_water, mL) of a
       query: of each, `median` and `mean` over queries as {p5, p50, p95, mcError} over worlds, and `query`, the
       medians over worlds of P5 and P95 over queries. `at_site_energy` is facility_energy with the PUE of the sites.
       `running` (requests in flight), `pue`, `site_pue` and `gain` (of the levers) are bands over worlds. */
    answer(settings) {
      const { data } = this;
      const names = settings.model === "blend" ? data.blend : [settings.model];
      const members = names.map((name) => data.deployments.find((item) => item.model === name))
        .map((item) => serve(data, item, settings, this.context(settings)));
      const queries = settings.traffic === "fixed" ? null : this.queriesOf(settings.traffic, members.length > 1 ? "several" : "one");
      const energy = energies(data, members, settings, queries);
      const divided = gains(data, settings.levers), { litres, pues } = siteFactors(data, settings);
      const found = {};
      const summarise = (statistics, factor) => {
        const scaled = Object.fromEntries(Object.entries(statistics).map(([name, values]) => [
          name, band(data, values.map((value, w) => value * factor(w))),
        ]));
        return { median: scaled.median, mean: scaled.mean, query: { p5: scaled.p5.p50, p95: scaled.p95.p50 } };
      };
      for (const [boundary, statistics] of Object.entries(energy)) {
        found[`${boundary}_energy`] = summarise(statistics, (w) => 1 / divided[w]);
      }
      const pue = (w) => settings.pue ?? data.drawn.pue[w];
      found.at_site_energy = summarise(energy.facility, (w) => pues[w] / pue(w) / divided[w]);
      for (const [scope, perKwh] of Object.entries(litres)) {
        found[`${scope}_water`] = summarise(energy.facility, (w) => perKwh[w] / pue(w) / divided[w]);
      }
      const overWorlds = { running: members[0].running, pue: divided.map((_, w) => pue(w)), site_pue: pues, gain: divided };
      for (const [name, values] of Object.entries(overWorlds)) found[name] = band(data, values);
      return found;
    }

    // Mean context of a running request in every world, tokens.
    context(settings) {
      if (settings.traffic === "fixed") {
        const context = Math.round(settings.input_tokens) + Math.round(settings.output_tokens) / 2;
        return () => context;
      }
      const { moments, alike_in_all_worlds: alike } = this.data.traffic[settings.traffic];
      const of = (i, o, squared) => i + squared / (2 * o);
      if (alike) return () => of(moments.input_tokens, moments.output_tokens, moments.output_squared);
      return (w) => of(moments.input_tokens[w], moments.output_tokens[w], moments.output_squared[w]);
    }

    queriesOf(name, models) {
      const key = `${name}, ${models}`;
      this.queries[key] ??= drawQueries(this.data.traffic[name], this.data.normal, this.data.worlds, LATTICES[models]);
      return this.queries[key];
    }
  }

  globalThis.WhatIfModel = { Model, LEVERS };
})();
