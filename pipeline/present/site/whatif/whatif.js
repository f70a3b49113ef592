/* The what-if panel: settings in, the model's answer out as words, bands, table and command; state in the address. */
(function () {
  "use strict";

  const holder = document.getElementById("whatif-data");
  const panel = document.getElementById("what-if");
  if (!holder || !panel) return;
  const model = new WhatIfModel.Model(JSON.parse(holder.textContent));
  const { data } = model;
  const { LEVERS } = WhatIfModel;
  const { show, chart, table } = WhatIfShown;
  const { TAKEN, OF_FACTORS } = WhatIfWords;
  const NULLABLE = ["requests", "utilisation", "idle_share", "pue", "wue_l_per_kwh", "electricity_l_per_kwh"];
  const LENGTHS = ["input_tokens", "output_tokens"];
  const CHOICES = ["model", "traffic", "site"];
  const WATER_ALONE = ["site", "wue_l_per_kwh", "electricity_l_per_kwh"];
  const START = { input_tokens: 1000, output_tokens: 300 };
  const by = (id) => document.getElementById(id);
  const form = panel.querySelector("form");

  /* -- Fields --------------------------------------------------------------------------------------------- */

  const fields = {};
  for (const box of panel.querySelectorAll(".wi-field")) {
    const number = box.querySelector(".wi-number");
    const { key, scale, digits } = box.dataset;
    const slider = new WhatIfSlider(box, { key, scale, digits: Number(digits), least: Number(number.min), most: Number(number.max) });
    slider.unknown = box.querySelector(".wi-unknown input");
    slider.onset = () => { if (slider.unknown) slider.unknown.checked = false; reflect(slider); };
    slider.unknown?.addEventListener("input", () => reflect(slider));
    fields[key] = slider;
  }

  // Where a quantity is not known the slider stands at the median of its draws, and the number is empty.
  function reflect(slider) {
    const open = slider.unknown?.checked ?? false;
    slider.box.classList.toggle("wi-open", open);
    slider.number.placeholder = open ? `≈ ${show(middle(slider.key), slider.digits ? 3 : 2)}` : "";
    if (open) {
      slider.number.value = "";
      slider.toSlider(middle(slider.key));
      slider.clear();
    } else if (slider.number.value === "" && document.activeElement !== slider.number) {
      slider.set(slider.rounded(middle(slider.key)));
    }
  }

  const median = (values) => Float64Array.from(values).sort()[values.length >> 1];

  function middle(key) {
    if (key in data.drawn) return median(data.drawn[key]);
    if (key === "requests") return median(members()[0].requests);
    const scenario = data.sites.scenarios[by("wi-site").value];
    return scenario[key] ? median(scenario[key]) : START[key];
  }

  const members = () => {
    const names = by("wi-model").value === "blend" ? data.blend : [by("wi-model").value];
    return data.deployments.filter((item) => names.includes(item.model));
  };

  const levers = WhatIfLevers.build(panel, data);

  /* -- Lists ---------------------------------------------------------------------------------------------- */

  function fillLists() {
    const hardware = (item) => `${item.gpus} × ${item.gpu}, ${item.precision.toUpperCase()}`;
    by("wi-model").append(new Option("All models above 200 B parameters, in equal parts", "blend"),
      ...data.deployments.map((item) => new Option(`${item.model}: ${hardware(item)}`, item.model)));
    by("wi-site").append(...Object.entries(data.sites.scenarios).map(([name, one]) => new Option(one.title, name)));
    by("wi-worlds").textContent = `${data.worlds.toLocaleString("en")} draws`;
  }

  function describe(settings) {
    const about = members();
    by("wi-model-help").textContent = settings.model === "blend" ? `${about.map((item) => item.model).join(", ")}.`
      : `Throughput and power rest on: ${about[0].evidence}. ${about[0].reason}`;
    const scenario = data.sites.scenarios[settings.site];
    by("wi-site-help").textContent = `${scenario.basis === "withdrawal" ? "Water withdrawn, not consumed: most of it goes back. " : "Water consumed. "}`
      + "The water takes the PUE of the sites, the energy one that is not known, until you set it for both.";
    ["wue_l_per_kwh", "electricity_l_per_kwh"].forEach((key, i) => { by(`wi-${key}-help`).textContent = OF_FACTORS[scenario.basis][i]; });
    if (offered !== settings.traffic) {
      by("wi-ours-help").hidden = WhatIfLevers.offer(levers, settings.traffic, later);
      offered = settings.traffic;
    }
    const texts = { production_short: "Lengths vary from query to query; how long they are on average is not known.",
      production_long: "As above, of a model that reasons before it answers.",
      published_short: "500 tokens in; out, exponential with median 300.", published_long: "500 tokens in; out, exponential with median 5,000.",
      fixed: "Every query has the lengths set here." };
    by("wi-traffic-help").textContent = texts[settings.traffic];
    by("wi-lengths").hidden = settings.traffic !== "fixed";
  }

  /* -- Settings, address, command ------------------------------------------------------------------------- */

  // The settings as in params.yaml (scenario.what_if), or null while a number cannot be used.
  function read() {
    const settings = { levers: {} };
    let good = true;
    for (const key of CHOICES) settings[key] = by(`wi-${key}`).value;
    for (const key of NULLABLE) {
      const field = fields[key];
      settings[key] = field.unknown.checked ? null : field.value;
      if (!field.unknown.checked && field.check()) good = false;
    }
    for (const key of LENGTHS) {
      settings[key] = settings.traffic === "fixed" ? Math.round(fields[key].value) : null;
      if (settings.traffic === "fixed" && fields[key].check()) good = false;
    }
    for (const key of LEVERS) {
      const lever = levers[key], choice = lever.select.value;
      settings.levers[key] = choice === "none" ? 1 : choice === "drawn" ? "drawn" : lever.value;
      if (choice === "number" && lever.check()) good = false;
    }
    return good ? settings : null;
  }

  function write(settings) {
    for (const key of CHOICES) by(`wi-${key}`).value = settings[key];
    for (const key of NULLABLE) {
      fields[key].unknown.checked = settings[key] === null;
      fields[key].number.value = settings[key] ?? "";
      if (settings[key] !== null) fields[key].toSlider();
      reflect(fields[key]);
    }
    for (const key of LENGTHS) fields[key].set(settings[key] ?? START[key]);
    for (const key of LEVERS) {
      const value = settings.levers[key];
      levers[key].select.value = value === "drawn" ? "drawn" : value === 1 ? "none" : "number";
      if (typeof value === "number" && value !== 1) levers[key].set(value);
      levers[key].box.hidden = levers[key].select.value !== "number";
      levers[key].clear();
    }
    for (const field of Object.values(fields)) field.clear();
  }

  // What differs from params.yaml, as [key, value].
  function changes(settings) {
    const keys = [...CHOICES, ...LENGTHS, ...NULLABLE];
    const own = keys.filter((key) => settings[key] !== data.defaults[key]).map((key) => [key, settings[key]]);
    const gains = LEVERS.filter((key) => settings.levers[key] !== data.defaults.levers[key]);
    return [...own, ...gains.map((key) => [`levers.${key}`, settings.levers[key]])];
  }

  function command(settings) {
    const word = (value) => (typeof value === "string" && !/^[a-z_]+$/.test(value) ? `"${value}"` : String(value));
    const parts = changes(settings).map(([key, value]) => {
      const text = `scenario.what_if.${key}=${word(value)}`;
      return `-S ${/["\s]/.test(text) ? `'${text}'` : text}`;
    });
    return parts.length ? ["dvc exp run", ...parts, "estimate_what_if"].join(" \\\n  ") : "dvc repro estimate_what_if";
  }

  function toAddress(settings) {
    const state = new URLSearchParams(changes(settings));
    const hash = state.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  // What the address asks for, as far as it can be had; all else as in params.yaml.
  function fromAddress() {
    const settings = { ...data.defaults, levers: { ...data.defaults.levers } };
    for (const [key, text] of new URLSearchParams(location.hash.slice(1))) {
      const lever = key.startsWith("levers.") ? key.slice(7) : null;
      const number = text === "null" ? null : Number(text);
      if (lever && LEVERS.includes(lever)) settings.levers[lever] = text === "drawn" ? text : number >= 1 ? number : 1;
      else if (CHOICES.includes(key) && [...by(`wi-${key}`).options].some(({ value }) => value === text)) settings[key] = text;
      else if ([...NULLABLE, ...LENGTHS].includes(key) && !Number.isNaN(number)) settings[key] = number;
    }
    return settings;
  }

  /* -- The answer ----------------------------------------------------------------------------------------- */

  let base = null, plain = null, shown = null, offered = null, waiting = 0, said = 0;
  const basis = (settings) => data.sites.scenarios[settings.site].basis;

  // The answer in the page, and how many times the energy of the re-estimate it is, both as the page computes them;
  // at the start the pipeline's own. Settings of water alone leave the pipeline's energies.
  function compute(settings) {
    plain ??= model.answer(data.defaults);
    base ??= { ...plain, ...data.answer };
    const changed = changes(settings).map(([key]) => key);
    if (!changed.length) return [base, 1];
    const answer = model.answer(settings), ratio = answer.facility_energy.median.p50 / plain.facility_energy.median.p50;
    if (changed.every((key) => WATER_ALONE.includes(key))) {
      for (const name of Object.keys(data.answer)) if (name.endsWith("_energy")) answer[name] = data.answer[name];
    }
    return [answer, ratio];
  }

  function tell(settings, answer, ratio) {
    const lines = WhatIfWords.lines(settings, answer, { basis: basis(settings), combined: data.combined, ratio, base });
    by("wi-now").replaceChildren(...lines);
    const short = WhatIfWords.short(settings, answer, basis(settings));
    by("wi-bar").textContent = short;
    clearTimeout(said); // not every step of a drag is read out
    said = setTimeout(() => { by("wi-said").textContent = `One query: ${short}`; }, 700);
    by("wi-note").textContent = `Requests in flight on a serving instance: ${WhatIfWords.span(answer.running)}, at the load that is set or drawn.`;
  }

  const water = (settings) => `Water ${TAKEN[basis(settings)]}`;

  function draw() {
    if (!shown) return;
    const settings = JSON.parse(panel.dataset.settings);
    chart(by("wi-energy-chart"), "Wh", "Energy", shown, base);
    // Water consumed and water withdrawn are not compared.
    chart(by("wi-water-chart"), "mL", water(settings), shown, basis(settings) === basis(data.defaults) ? base : shown);
  }

  function update() {
    waiting = 0;
    const settings = read();
    describe({ model: by("wi-model").value, site: by("wi-site").value, traffic: by("wi-traffic").value });
    by("wi-stale").hidden = settings !== null;
    panel.classList.toggle("wi-stale", settings === null);
    if (!settings) {
      by("wi-bar").textContent = by("wi-said").textContent = by("wi-stale").textContent;
      return;
    }
    for (const key of NULLABLE) reflect(fields[key]);
    const [answer, ratio] = compute(settings);
    shown = answer;
    panel.dataset.settings = JSON.stringify(settings);
    tell(settings, answer, ratio);
    draw();
    table(by("wi-table"), answer, water(settings));
    by("wi-command").textContent = command(settings);
    by("wi-copied").textContent = "";
    toAddress(settings);
  }

  // Many inputs of one drag make one answer.
  const later = () => { waiting ||= setTimeout(update, 0); };

  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // pages from disk may not use the clipboard
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    by("wi-copied").textContent = `${what} copied.`;
  }

  fillLists();
  write(fromAddress());
  form.addEventListener("input", later);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); write({ ...data.defaults }); later(); });
  addEventListener("hashchange", () => { write(fromAddress()); later(); });
  addEventListener("resize", draw);
  by("wi-copy").addEventListener("click", () => copy(by("wi-command").textContent, "Command"));
  by("wi-share").addEventListener("click", () => copy(location.href, "Link"));
  panel.hidden = false;
  panel.parentElement.querySelector(".wi-only-script")?.remove();
  update();
})();
