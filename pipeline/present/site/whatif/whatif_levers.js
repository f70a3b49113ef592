/* The levers of the what-if panel: a gain that is left out, drawn from the published range or set, and what we estimate. */
(function () {
  "use strict";

  const { show } = WhatIfShown;
  const { REGIMES, SERVICES, span } = WhatIfWords;
  const MOST_GAIN = 100;
  const shortest = (value, digits) => Number(value.toPrecision(digits));

  // Sliders of all levers by name, with the choice beside each.
  function build(panel, data) {
    const levers = {};
    for (const box of panel.querySelectorAll(".wi-lever")) {
      const { lever: key, source } = box.dataset, { p5, p50, p95, reason, estimated } = data.levers[key];
      const slider = new WhatIfSlider(box.querySelector(".wi-gain"), { key, scale: "log", digits: 1, least: 1, most: MOST_GAIN });
      Object.assign(slider, { select: box.querySelector("select"), details: box.querySelector("details"), estimated });
      slider.set(shortest(p50, 2));
      box.querySelector(".wi-help").textContent =
        `${reason} Published range ${show(p5)}–${show(p95)} times (${source}), taken as log-normal: assumed, not estimated here.`;
      slider.select.addEventListener("input", () => { slider.box.hidden = slider.select.value !== "number"; });
      levers[key] = slider;
    }
    return levers;
  }

  // One estimate in words, with a button that takes its median as the gain.
  function entry(lever, one, taken) {
    const item = document.createElement("li"), use = document.createElement("button");
    item.textContent = `${one.system}: ${span(one)} times, grade ${one.grade}; ${one.compared} `;
    use.type = "button";
    use.textContent = `Use ${show(one.p50, 3)}`;
    use.setAttribute("aria-label", `Use ${show(one.p50, 3)}: ${one.system}, ${one.compared}`);
    use.addEventListener("click", () => {
      lever.select.value = "number";
      lever.box.hidden = false;
      lever.set(shortest(one.p50, 3));
      lever.clear();
      taken();
    });
    if (one.p50 >= lever.least && one.p50 <= lever.most) item.append(use);
    return item;
  }

  // Our own estimates for a traffic; false where there are none. `taken` is called when one is used.
  function offer(levers, traffic, taken) {
    const regime = REGIMES[traffic];
    for (const lever of Object.values(levers)) {
      const found = regime ? lever.estimated[regime] : [];
      lever.details.hidden = !found.length;
      lever.details.querySelector("summary").textContent = regime ? `Our own estimates, for ${SERVICES[regime]}` : "";
      lever.details.querySelector("ul").replaceChildren(...found.map((one) => entry(lever, one, taken)));
    }
    return Boolean(regime);
  }

  globalThis.WhatIfLevers = { build, offer };
})();
