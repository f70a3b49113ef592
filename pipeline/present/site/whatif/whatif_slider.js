/* A slider of the what-if panel beside a number: each follows the other, the number decides. */
(function () {
  "use strict";

  const { show } = WhatIfShown;

  class Slider {
    constructor(box, { least, most, scale, digits, key }) {
      Object.assign(this, { box, least, most, scale, digits, key });
      this.slider = box.querySelector(".wi-slider");
      this.number = box.querySelector(".wi-number");
      this.wrong = box.querySelector(".wi-wrong") ?? box.parentElement.querySelector(".wi-wrong");
      this.slider.addEventListener("input", () => { this.number.value = this.rounded(this.fromSlider()); this.told(); });
      this.number.addEventListener("input", () => { this.toSlider(); this.told(); });
    }

    told() { this.onset?.(); }

    fromSlider() {
      const share = this.slider.value / 1000;
      return this.scale === "log" ? this.least * (this.most / this.least) ** share : this.least + (this.most - this.least) * share;
    }

    rounded(value) {
      const kept = this.digits ? Number(value.toFixed(this.digits)) : Number(value.toPrecision(2));
      return Math.min(Math.max(this.digits ? kept : Math.round(kept), this.least), this.most);
    }

    toSlider(value = this.value) {
      if (!Number.isFinite(value)) return;
      const inside = Math.min(Math.max(value, this.least), this.most);
      const share = this.scale === "log" ? Math.log(inside / this.least) / Math.log(this.most / this.least)
        : (inside - this.least) / (this.most - this.least);
      this.slider.value = Math.round(1000 * share);
      this.slider.setAttribute("aria-valuetext", show(value, 3));
    }

    get value() { return this.number.value === "" ? NaN : Number(this.number.value); }

    set(value) { this.number.value = value; this.toSlider(value); }

    // Words where the number cannot be used, else nothing.
    check() {
      const good = this.value >= this.least && this.value <= this.most;
      const words = good ? "" : `Expected a number from ${this.least.toLocaleString("en")} to ${this.most.toLocaleString("en")}.`;
      this.number.setAttribute("aria-invalid", String(!good));
      this.wrong.textContent = words;
      this.wrong.hidden = good;
      return words;
    }

    clear() {
      this.number.setAttribute("aria-invalid", "false");
      this.wrong.hidden = true;
    }
  }

  globalThis.WhatIfSlider = Slider;
})();
