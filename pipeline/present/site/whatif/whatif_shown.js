/* How the what-if panel shows an answer: numbers in words, bands as a picture, a table. */
(function () {
  "use strict";

  const QUANTITIES = [
    ["gpu_energy", "Accelerators", "Wh"], ["node_energy", "Servers that serve", "Wh"],
    ["facility_energy", "All, with idle and cooling", "Wh"],
    ["onsite_water", "On site", "mL"], ["offsite_water", "Of the electricity", "mL"], ["total_water", "In all", "mL"],
  ];

  /* -- Numbers in words ----------------------------------------------------------------------------------- */

  function show(value, digits = 2) {
    if (!(value > 0)) return "0";
    const size = Math.floor(Math.log10(Number(value.toPrecision(digits))));
    const decimals = Math.max(0, digits - 1 - size); // what is larger is not rounded off, as on the other pages
    return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  }

  const interval = (band) => `${show(band.p5)}–${show(band.p95)}`;

  /* -- Bands and table ------------------------------------------------------------------------------------ */

  const SVG = "http://www.w3.org/2000/svg";

  function mark(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function chart(place, unit, name, answer, base) {
    const rows = QUANTITIES.filter((row) => row[2] === unit);
    const width = Math.max(280, Math.min(place.clientWidth || 560, 760)), rowHeight = 46, top = 24, edge = 8;
    const height = top + rows.length * rowHeight + 26;
    const ends = rows.flatMap(([key]) => [answer[key], base[key]]).flatMap(({ median: m, query }) => [m.p5, m.p95, query.p5, query.p95])
      .filter((value) => value > 0);
    const low = Math.floor(Math.log10(Math.min(...ends)) * 2) / 2, high = Math.ceil(Math.log10(Math.max(...ends)) * 2) / 2;
    const x = (value) => edge + (width - 2 * edge) * Math.min(Math.max((Math.log10(value) - low) / (high - low || 1), 0), 1);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    const words = rows.map(([key, label]) => `${label}: ${show(answer[key].median.p50)} ${unit} (${interval(answer[key].median)})`);
    svg.setAttribute("aria-label", `${name} of one query, ${unit}. ${words.join(". ")}.`);
    mark(svg, "text", { x: 0, y: 12, "font-weight": 700 }, `${name}, ${unit}`);
    const axis = top + rows.length * rowHeight + 4;
    const dense = high - low <= 3 && width > 400 ? [1, 2, 5] : [1];
    for (let power = Math.floor(low); power <= high; power++) {
      for (const value of dense.map((first) => Number(`${first}e${power}`))) {
        if (Math.log10(value) < low - 1e-9 || Math.log10(value) > high + 1e-9) continue;
        rows.forEach((_, i) => { // beside the bands alone: words stand clear of lines
          const y = top + i * rowHeight + 30;
          mark(svg, "line", { x1: x(value), x2: x(value), y1: y - 9, y2: y + 9, class: "wi-grid" });
        });
        mark(svg, "line", { x1: x(value), x2: x(value), y1: axis, y2: axis + 4, class: "wi-axis" });
        mark(svg, "text", { x: x(value), y: axis + 16, class: "wi-tick" }, value.toLocaleString("en", { maximumFractionDigits: 6 }));
      }
    }
    mark(svg, "line", { x1: edge, x2: width - edge, y1: axis, y2: axis, class: "wi-axis" });
    rows.forEach(([key, label], i) => {
      const one = answer[key], y = top + i * rowHeight + 30;
      mark(svg, "text", { x: 0, y: y - 13 }, label);
      mark(svg, "text", { x: width, y: y - 13, class: "wi-value" }, `${show(one.median.p50)} (${interval(one.median)})`);
      if (!(one.median.p95 > 0)) return; // no water on site has no place on a logarithmic scale
      mark(svg, "line", { x1: x(one.query.p5), x2: x(one.query.p95), y1: y, y2: y, class: "wi-queries" });
      mark(svg, "rect", { x: x(one.median.p5), y: y - 5, width: Math.max(1, x(one.median.p95) - x(one.median.p5)), height: 10, rx: 3, class: "wi-band" });
      if (base !== answer && base[key].median.p50 > 0) mark(svg, "circle", { cx: x(base[key].median.p50), cy: y, r: 5, class: "wi-base" });
      mark(svg, "rect", { x: x(one.mean.p50) - 4, y: y - 4, width: 8, height: 8, class: "wi-mean" });
      mark(svg, "circle", { cx: x(one.median.p50), cy: y, r: 6, class: "wi-median" });
    });
    place.replaceChildren(svg);
  }

  function table(place, answer, water) {
    const head = ["Quantity", "Median query", "Mean query", "Nine tenths of queries", "Monte Carlo error of the median"];
    const row = (cells, tag) => {
      const line = document.createElement("tr");
      cells.forEach((text, i) => {
        const cell = document.createElement(tag === "th" || i === 0 ? "th" : "td");
        if (cell.tagName === "TH") cell.scope = tag === "th" ? "col" : "row";
        if (i) cell.className = "number";
        cell.textContent = text;
        line.append(cell);
      });
      return line;
    };
    const caption = document.createElement("caption");
    caption.textContent = "Brackets: nine tenths of what is not known.";
    const top = document.createElement("thead"), body = document.createElement("tbody");
    top.append(row(head, "th"));
    body.append(...QUANTITIES.map(([key, label, unit]) => row([
      `${unit === "mL" ? water : "Energy"}: ${label.toLowerCase()}, ${unit}`,
      ...[answer[key].median, answer[key].mean].map((band) => `${show(band.p50, 3)} (${interval(band)})`),
      `${show(answer[key].query.p5)}–${show(answer[key].query.p95)}`, show(answer[key].median.mcError, 1),
    ])));
    place.replaceChildren(caption, top, body);
  }

  globalThis.WhatIfShown = { show, interval, chart, table };
})();
