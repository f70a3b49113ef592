/* What the what-if panel says of an answer: whose water, which PUE, and what levers rest on. */
(function () {
  "use strict";

  const { show, interval } = WhatIfShown;
  const { LEVERS } = WhatIfModel;
  // Levers are estimated for traffic with the lengths of production alone.
  const REGIMES = { production_short: "short", production_long: "long" };
  const SERVICES = { short: "a chat service", long: "a reasoning model" };
  const TAKEN = { consumption: "consumed", withdrawal: "withdrawn" };
  const OF_FACTORS = {
    consumption: ["Water evaporated on site per kWh of the servers.", "Water consumed by the power stations per kWh."],
    withdrawal: ["Water taken in on site per kWh of the servers; most of it goes back.",
      "Water taken in by the power stations per kWh; most of it goes back."],
  };

  // A band as text; without ends where they agree at the digits that are shown.
  function span(band, digits = 2) {
    const [middle, low, high] = [band.p50, band.p5, band.p95].map((value) => show(value, digits));
    return low === high ? middle : `${middle} (${low}–${high})`;
  }

  function pue(settings, answer) {
    if (settings.pue !== null) return `PUE: ${show(settings.pue, 3)}, as you set it, in energy and water.`;
    const there = answer.at_site_energy.median;
    return `PUE: not known, ${span(answer.pue, 3)} in the energy. With that of the chosen sites, ${span(answer.site_pue, 3)}, `
      + `the energy is ${show(there.p50)} Wh (${interval(there)}); the water takes that of the sites.`;
  }

  const pulled = (settings) => LEVERS.filter((key) => settings.levers[key] !== 1);

  // Of the levers that are set: what they multiply to, what that rests on, and what overlaps leave of all of them.
  function levers(settings, answer, combined) {
    const chosen = pulled(settings), assumed = chosen.filter((key) => settings.levers[key] === "drawn");
    if (!chosen.length) return null;
    const whose = !assumed.length ? "gains that you set" : assumed.length === chosen.length
      ? "published ranges, assumed and not estimated here" : "gains that you set and published ranges, assumed and not estimated here";
    const joined = chosen.length > 1 ? ", multiplied as if they did not overlap" : "";
    const regime = REGIMES[settings.traffic];
    const limit = regime
      ? `${span(combined[regime].gain)} times for ${SERVICES[regime]}, to ${span(combined[regime].energy_wh)} Wh for the mean query`
      : Object.entries(SERVICES).map(([name, service]) => `${span(combined[name].gain)} times for ${service}`).join(" and ");
    return {
      strong: `Levers divide this by ${span(answer.gain)}`,
      rest: `: ${whose}${joined}. With overlaps counted, all levers with evidence of grade A or B together `
        + `give ${limit}, for the blend of large models with the lengths of production.`,
    };
  }

  function paragraph(kind, rest, strong) {
    const line = document.createElement("p");
    if (kind) line.className = kind;
    if (strong) line.append(Object.assign(document.createElement("strong"), { textContent: strong }));
    line.append(rest);
    return line;
  }

  function against(answer, base, ratio) {
    if (answer === base) return "This is the re-estimate as it stands.";
    if (Math.abs(ratio - 1) < 5e-4) return "The same energy as the re-estimate as it stands.";
    return `${show(ratio, ratio > 0.95 && ratio < 1.05 ? 3 : 2)} times the energy of the re-estimate as it stands.`;
  }

  // The answer in paragraphs; basis: whether water is consumed or withdrawn.
  function lines(settings, answer, { basis, combined, ratio, base }) {
    const energy = answer.facility_energy.median, water = answer.total_water.median, onsite = answer.onsite_water.median;
    const levered = levers(settings, answer, combined);
    return [
      paragraph("", ` at the data centre (${interval(energy)})`, `${show(energy.p50)} Wh`),
      paragraph("", ` of water ${TAKEN[basis]} in all (${interval(water)}), ${show(onsite.p50)} mL of it on site`, `${show(water.p50)} mL`),
      ...(levered ? [paragraph("wi-warning", levered.rest, levered.strong)] : []),
      paragraph("wi-ratio", against(answer, base, ratio)),
      paragraph("wi-ratio", pue(settings, answer)),
    ];
  }

  // The same for the bar of a small screen and for a reader that does not see.
  function short(settings, answer, basis) {
    const energy = answer.facility_energy.median, water = answer.total_water.median;
    return `${show(energy.p50)} Wh (${interval(energy)}), ${show(water.p50)} mL ${TAKEN[basis]} (${interval(water)})`
      + (pulled(settings).length ? `; levers ÷ ${show(answer.gain.p50)}, no overlaps counted` : "");
  }

  globalThis.WhatIfWords = { REGIMES, SERVICES, TAKEN, OF_FACTORS, span, lines, short };
})();
