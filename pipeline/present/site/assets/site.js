"use strict";
// Filters of the ledger and of tables: check boxes by verdict, text search, the state kept in the address.
// The page of a long table holds its first rows; all of them stand in `allRows`, as arrays of text.

document.documentElement.classList.add("scripted");

for (const form of document.querySelectorAll("[data-filters]")) {
  const target = document.getElementById(form.dataset.filters);
  const items = [...target.querySelectorAll("tbody tr, li")];
  const groups = [...target.querySelectorAll("[data-group]")];
  const search = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[name=verdict]")];
  const status = form.querySelector("[role=status]");
  const noun = target.id === "rows" ? "rows" : target.id;
  const all = noun === "rows" && window.allRows;
  const texts = all ? all.map((row) => row.join("\n").toLowerCase()) : items.map((item) => item.textContent.toLowerCase());

  const drawn = (row) => {
    const line = document.createElement("tr");
    row.forEach((text, at) => {
      const cell = line.insertCell();
      cell.textContent = text;
      if (target.tHead.rows[0].cells[at].classList.contains("number")) cell.className = "number";
      else if (text.length > 40) cell.className = "long";
    });
    return line;
  };

  const applyToAll = (words) => {
    const fit = all.filter((row, at) => words.every((word) => texts[at].includes(word)));
    target.tBodies[0].replaceChildren(...fit.slice(0, items.length).map(drawn));
    const found = fit.length > items.length ? `The first ${items.length} of ${fit.length} rows that fit, of` : `${fit.length} of`;
    status.textContent = words.length ? `${found} ${all.length} rows shown` : `${items.length} of ${all.length} rows shown`;
  };

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (all) return applyToAll(words);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    items.forEach((item, at) => {
      const fits = words.every((word) => texts[at].includes(word)) && (!boxes.length || wanted.has(item.dataset.verdict));
      item.hidden = !fits;
      shown += fits;
    });
    for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
    status.textContent = `${shown} of ${items.length} ${noun} shown`;
  };

  const readAddress = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (boxes.length && asked.has("verdict")) {
      const wanted = asked.get("verdict").split(",");
      for (const box of boxes) box.checked = wanted.includes(box.value);
    }
    if (asked.has("search")) search.value = asked.get("search");
    apply();
  };

  const writeAddress = () => {
    const state = new URLSearchParams();
    const checked = boxes.filter((box) => box.checked);
    if (checked.length < boxes.length) state.set("verdict", checked.map((box) => box.value).join(","));
    if (search.value) state.set("search", search.value);
    const hash = state.toString().replaceAll("%2C", ",");
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };

  form.addEventListener("input", () => { apply(); writeAddress(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { apply(); writeAddress(); }));
  addEventListener("hashchange", readAddress);
  readAddress();
}
