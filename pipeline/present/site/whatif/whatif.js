/* The what-if page: settings in, what `python -m pipeline.predict` says of them out. It knows no server: it reads
   predictions between loads (pipeline/deployment/model/surface.py says how they are written) and joins them to
   draws of sites. */
(function () {
  "use strict";

  /* -- Predictions ---------------------------------------------------------------------------------------- */

  const Z95 = 1.6448536269514722;
  const SHARES = 33; // of the interval of a prediction, each as probable as the next

  function bytes(text, Kind) {
    return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  }

  // Columns of the solution of matrix x = columns, for a matrix that is symmetric and positive: by elimination.
  function solved(matrix, columns) {
    const rows = matrix.map((row, i) => [...row, ...columns[i]]), size = rows.length;
    rows.forEach((pivot, k) => rows.forEach((row, i) => {
      if (i === k || !row[k]) return;
      const times = row[k] / pivot[k];
      for (let c = k; c < row.length; c += 1) row[c] -= times * pivot[c];
    }));
    return rows.map((row, k) => row.slice(size).map((value) => value / row[k]));
  }

  class Predictions {
    constructor(data) {
      this.data = data;
      this.medians = bytes(data.medians, Int16Array);
      this.spreads = bytes(data.spreads, Uint8Array);
      this.grown = bytes(data.seconds, Float32Array); // of configuration after configuration
      this.measured = bytes(data.measured, Int16Array);
      this.normals = Array.from({ length: SHARES }, (_, i) => normal((i + 0.5) / SHARES));
      this.kept = {};
    }

    find(model, gpu) {
      const { configurations: { model: models, gpu: gpus } } = this.data;
      return models.findIndex((name, at) => name === model && gpus[at] === gpu);
    }

    // Requests whose cache fits in memory, between contexts that were looked up.
    room(at, load) {
      const { contexts, room } = this.data, x = Math.log(load.input + load.output / 2);
      const ln = contexts.map(Math.log);
      if (x <= ln[0]) return room[at][0];
      const next = ln.findIndex((end) => x <= end);
      if (next < 0) return room[at].at(-1);
      const share = (x - ln[next - 1]) / (ln[next] - ln[next - 1]);
      return Math.exp((1 - share) * Math.log(room[at][next - 1]) + share * Math.log(room[at][next]));
    }

    running(at, load) { return Math.min(Math.max(load.batch, 1), this.room(at, load)); }

    // Whether somebody measured a load like it.
    near(running, load) {
      const { units } = this.data, place = [running, load.input, load.output].map((v, i) => 4 * Math.log(v) / units[i]);
      for (let p = 0; p < this.measured.length; p += 3) {
        if (place.every((v, i) => Math.abs(v - this.measured[p + i]) <= 4)) return true;
      }
      return false;
    }

    // Of a server for a query: what a step takes, by what it grows with.
    seconds(at, { input, cached, output }, running) {
      const { exponent, expertShare, window } = this.data, local = (tokens) => Math.min(tokens, window[at]);
      const context = input + output / 2, fresh = input - cached, before = cached + fresh / 2, prompts = running / output;
      const grows = [1, 1 - (1 - expertShare[at]) ** (running ** exponent), running, running * context, running * local(context),
        prompts, prompts * fresh, prompts * fresh * before, prompts * fresh * local(before)];
      return grows.reduce((sum, one, g) => sum + one * this.grown[at * grows.length + g], 0) / prompts;
    }

    place(at, load) {
      const { reach, far, waiting, fewTokens, cachedWork } = this.data, running = this.running(at, load);
      const fresh = load.input - (1 - cachedWork) * load.cached + fewTokens;
      const near = [running, fresh, load.output, load.input + load.output / 2].map(Math.log);
      return [...near, this.near(running, load) ? 0 : far, waiting * Math.log(Math.max(load.batch / running, 1))].map((v) => v / reach);
    }

    kernel(one, other) {
      let squared = 0, product = 1;
      one.forEach((v, i) => { squared += (v - other[i]) ** 2; product += v * other[i]; });
      return Math.exp(-squared / 2) + this.data.trend * product;
    }

    // Where one configuration was predicted, and the weights of these places in P5, P50 and P95.
    nodes(at) {
      const { loads, step, spreadStep, missing, jitter } = this.data, count = loads.batch.length, values = [], places = [];
      for (let n = 0, i = at * count; n < count; n += 1, i += 1) {
        if (this.medians[i] === missing) continue;
        const median = this.medians[i] * step, away = (side) => this.spreads[2 * i + side] * spreadStep;
        values.push([median - away(0), median, median + away(1)]);
        places.push(this.place(at, Object.fromEntries(Object.entries(loads).map(([key, of]) => [key, of[n]]))));
      }
      const matrix = places.map((one, i) => places.map((other, k) => this.kernel(one, other) + (i === k ? jitter : 0)));
      return { places, weights: solved(matrix, values) };
    }

    // P5, P50 and P95 of ln Wh of a query at the server.
    ln(at, load) {
      const { places, weights } = this.kept[at] ??= this.nodes(at), here = this.place(at, load);
      const found = Array(3).fill(Math.log(this.seconds(at, load, this.running(at, load))));
      places.forEach((one, n) => {
        const near = this.kernel(here, one);
        weights[n].forEach((weight, j) => { found[j] += near * weight; });
      });
      return found;
    }

    // Bands of energy and water: every share of the prediction with every draw of the site.
    answer(settings) {
      const at = this.find(settings.model, settings.gpu);
      const ln = this.ln(at, settings), site = this.data.sites[settings.site];
      const node = this.normals.map((z) => Math.exp(ln[1] + z * Math.abs(ln[z < 0 ? 0 : 2] - ln[1]) / Z95));
      const own = (key) => (settings[key] === null ? site[key] : [settings[key]]);
      const of = (perWh) => {
        const count = Math.max(own("pue").length, own("wue").length, own("grid").length);
        const drawn = (key, d) => own(key)[d % own(key).length];
        const all = new Float64Array(node.length * count);
        for (let d = 0, i = 0; d < count; d += 1) {
          const factor = perWh(drawn("pue", d), drawn("wue", d), drawn("grid", d));
          for (const wh of node) all[i++] = wh * factor;
        }
        all.sort();
        const quantile = (q) => {
          const at = q * all.length - 0.5, low = Math.floor(at);
          return all[low] + (at - low) * (all[low + 1] - all[low]);
        };
        return { p5: quantile(0.05), p50: quantile(0.5), p95: quantile(0.95) };
      };
      return {
        gpus: this.data.configurations.gpus[at],
        running: this.running(at, settings),
        near: this.near(this.running(at, settings), settings),
        node: of(() => 1),
        facility: of((pue) => pue),
        onsite: of((_, wue) => wue),
        water: of((pue, wue, grid) => wue + pue * grid),
      };
    }
  }

  // Quantile of the standard normal distribution: Acklam's rational approximation, relative error below 2e-9.
  function normal(p) {
    const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
    const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
    const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
    const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
    const sum = (terms, x) => terms.reduce((total, term) => total * x + term, 0);
    if (p > 0.5) return -normal(1 - p);
    if (p < 0.02425) { const q = Math.sqrt(-2 * Math.log(p)); return sum(c, q) / sum(d, q); }
    const q = p - 0.5;
    return q * sum(a, q * q) / sum(b, q * q);
  }

  globalThis.WhatIf = Predictions;
  const holder = document.getElementById("whatif-data");
  if (!holder) return;

  /* -- Settings ------------------------------------------------------------------------------------------- */

  const predictions = new Predictions(JSON.parse(holder.textContent)), { data } = predictions;
  const by = (id) => document.getElementById(id);
  const form = by("wi-form");
  const NUMBERS = ["batch", "input", "cached", "output", "pue", "wue", "grid"];
  const OPEN = ["pue", "wue", "grid"]; // blank: the draws of the site
  const COLUMNS = {
    batch: "concurrency", input: "input_tokens", cached: "cached_input_tokens", output: "output_tokens", pue: "pue",
    wue: "wue_l_per_kwh", grid: "water_l_per_kwh_electricity",
  };
  const PRESETS = JSON.parse(by("whatif-presets").textContent);

  const field = (key) => by(`wi-${key}`);
  const options = (names, text = (name) => name) => names.map((name) => new Option(text(name), name));

  function fill() {
    const { configurations: { model, gpu }, errors } = data;
    by("wi-errors").textContent = Object.entries(errors).map(([name, { tolerance, share }]) => (
      `${name.toUpperCase()} within ${number(100 * tolerance, 1)} % in ${number(100 * share, 3)} % of them`)).join(", ");
    field("model").append(...options([...new Set(model)].sort((a, b) => a.localeCompare(b))));
    field("gpu").append(...options([...new Set(gpu)]));
    field("site").append(...options(Object.keys(data.sites), (name) => data.sites[name].title));
    for (const [name, preset] of Object.entries(PRESETS)) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: preset.title });
      button.addEventListener("click", () => { set(preset); show(); });
      button.dataset.preset = name;
      by("wi-presets").append(button);
    }
  }

  function set(settings) {
    for (const key of ["model", "gpu", "site"]) if (settings[key]) field(key).value = settings[key];
    for (const key of NUMBERS) if (key in settings || OPEN.includes(key)) field(key).value = settings[key] ?? "";
  }

  function read() {
    const settings = { model: field("model").value, gpu: field("gpu").value, site: field("site").value };
    for (const key of NUMBERS) settings[key] = field(key).value === "" ? null : Number(field(key).value);
    return settings;
  }

  // What is wrong with the settings by field; nothing where they can be answered.
  function faults(settings) {
    const found = {}, { context } = data.models[settings.model];
    for (const key of NUMBERS) {
      const { min, max } = field(key), value = settings[key];
      if (value === null && OPEN.includes(key)) continue;
      if (value === null || !(value >= Number(min) && value <= Number(max))) {
        found[key] = `Expected a number from ${Number(min).toLocaleString("en")} to ${Number(max).toLocaleString("en")}.`;
      }
    }
    if (!found.cached && settings.cached > settings.input) found.cached = "At most the prompt.";
    if (!found.output && settings.input + settings.output > context) {
      found.output = `Prompt and answer exceed the ${context.toLocaleString("en")} tokens that the model reads at once.`;
    }
    if (predictions.find(settings.model, settings.gpu) < 0) found.gpu = `16 ${settings.gpu} do not hold this model.`;
    return found;
  }

  /* -- Words ---------------------------------------------------------------------------------------------- */

  function number(value, digits = 2) {
    if (!(value > 0)) return "0";
    const size = Math.floor(Math.log10(Number(value.toPrecision(digits))));
    const decimals = Math.max(0, digits - 1 - size);
    return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  }

  const range = (band) => `${number(band.p5)}–${number(band.p95)}`;
  // In a narrow column it breaks before the bracket alone.
  const span = (band, unit) => `${number(band.p50)} (${range(band).replace("–", "\u2060–\u2060")})\u00a0${unit}`;

  function line(parts, kind = "") {
    const made = Object.assign(document.createElement("p"), { className: kind });
    for (const [tag, text] of parts) {
      made.append(tag ? Object.assign(document.createElement(tag), { textContent: text }) : text);
    }
    return made;
  }

  function words(settings, found) {
    const { precision } = data.models[settings.model], server = `${found.gpus} × ${settings.gpu}`;
    const waits = settings.batch > found.running * 1.01
      ? ` Memory holds ${number(found.running, 2)} requests of this length at once; the others wait.` : "";
    const support = found.near ? "Loads like this have been measured." : "Nobody has measured a load like this: the range is wider.";
    const seconds = found.facility.p50 * 3.6;
    return [
      line([["strong", `${number(found.facility.p50)} Wh`], ["", ` a query, 90 % interval ${range(found.facility)} Wh`]], "wi-big"),
      line([["strong", `${number(found.water.p50)} mL`], ["", ` of water ${data.sites[settings.site].basis === "withdrawal" ? "withdrawn" : "consumed"}, `
        + `90 % interval ${range(found.water)} mL; ${number(found.onsite.p50)} mL of it on site`]], "wi-second"),
      line([["", `As much as a 1,000 W microwave oven in ${number(seconds)} seconds. A million queries: ${number(found.facility.p50 * 1000)} kWh.`]]),
      line([["", `On ${server}, weights in ${precision}. ${support}${waits}`]]),
    ];
  }

  function rows(found) {
    return [
      ["Servers, Wh", found.node], ["Whole data centre, Wh", found.facility],
      ["Water on site, mL", found.onsite], ["Water with its electricity, mL", found.water],
    ].map(([name, band]) => [name, number(band.p50), range(band)]);
  }

  const regime = (settings) => (settings.output > Number(by("wi-measures").dataset.longFrom) ? "long" : "short");

  function measures(settings, found) {
    const which = regime(settings), together = data.together[which];
    const left = (gain) => span({ p50: found.facility.p50 / gain.p50, p5: found.facility.p50 / gain.p95, p95: found.facility.p50 / gain.p5 }, "Wh");
    const all = [["All well-evidenced measures together, overlaps counted", "A–B", span(together, "×"), left(together)]];
    const ordered = [...data.measures[which]].sort((a, b) => a.band.localeCompare(b.band) || b.p50 - a.p50);
    return all.concat(ordered.map((one) => [one.name, one.grade, span(one, "×"), left(one)]));
  }

  function table(place, cells) {
    place.replaceChildren(...cells.map((texts) => {
      const row = document.createElement("tr");
      texts.forEach((text, i) => {
        const cell = document.createElement(i ? "td" : "th");
        if (!i) cell.scope = "row"; else cell.className = "number";
        cell.textContent = text;
        row.append(cell);
      });
      return row;
    }));
  }

  function command(settings, found) {
    const given = Object.entries(COLUMNS).filter(([key]) => settings[key] !== null);
    const cells = [["model", settings.model], ["gpu", settings.gpu], ["gpus", found.gpus], ["site_scenario", settings.site],
      ...given.map(([key, column]) => [column, settings[key]])];
    return `${cells.map(([name]) => name).join(",")}\n${cells.map(([, value]) => value).join(",")}\n`;
  }

  /* -- The page ------------------------------------------------------------------------------------------- */

  function address(settings) {
    const given = Object.entries(settings).filter(([, value]) => value !== null);
    return `#${new URLSearchParams(given).toString()}`;
  }

  function show(keep = true) {
    const settings = read(), wrong = faults(settings), good = !Object.keys(wrong).length;
    for (const key of [...NUMBERS, "gpu"]) {
      by(`wi-${key}-wrong`).textContent = wrong[key] ?? "";
      field(key).setAttribute("aria-invalid", String(key in wrong));
    }
    by("wi-answer").classList.toggle("wi-stale", !good);
    by("wi-stale").hidden = good;
    if (!good) return;
    const found = predictions.answer(settings);
    by("wi-now").replaceChildren(...words(settings, found));
    table(by("wi-rows"), rows(found));
    table(by("wi-measures"), measures(settings, found));
    by("wi-regime").textContent = regime(settings) === "long" ? "a reasoning model" : "a chat service";
    by("wi-command").textContent = command(settings, found);
    if (keep) history.replaceState(null, "", address(settings));
  }

  function start() {
    const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const first = Object.values(PRESETS)[0];
    set(first);
    if (asked.model) set({ ...Object.fromEntries(OPEN.map((key) => [key, null])), ...asked });
    show(Boolean(asked.model));
  }

  async function copy(text, said) {
    await navigator.clipboard.writeText(text);
    by("wi-copied").textContent = said;
  }

  fill();
  start();
  form.addEventListener("input", () => show());
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", start);
  by("wi-copy").addEventListener("click", () => copy(by("wi-command").textContent, "Table copied."));
  by("wi-share").addEventListener("click", () => copy(location.href, "Link copied."));
  by("what-if").hidden = false;
  document.querySelector(".wi-only-script").hidden = true;
})();
