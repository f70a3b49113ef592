"use strict";
// Filters of the ledger and of tables: check boxes by verdict, text search, the state kept in the address.

document.documentElement.classList.add("scripted");

for (const form of document.querySelectorAll("[data-filters]")) {
  const target = document.getElementById(form.dataset.filters);
  const items = [...target.querySelectorAll("tbody tr, li")];
  const groups = [...target.querySelectorAll("[data-group]")];
  const search = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[name=verdict]")];
  const status = form.querySelector("[role=status]");
  const noun = target.id === "rows" ? "rows" : target.id;
  const texts = items.map((item) => item.textContent.toLowerCase());

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
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
