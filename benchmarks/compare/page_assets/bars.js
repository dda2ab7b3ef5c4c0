// Bytes at equal score: a bar for the mean over pictures and a dot for each picture. And the table of BD-rates.

const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(1)} %`;

class Bars {
  constructor(element, bars, looks) {
    this.element = element;
    this.bars = bars;
    this.looks = looks;
    this.select = element.querySelector(".score");
    const choices = [...new Set(bars.map((bar) => `${bar.metric} ${bar.score}`))];
    choices.forEach((choice) => option(this.select, choice, choice));
    this.select.value = choices.find((choice) => choice.startsWith("SSIMULACRA2 60")) ?? choices[0];
    this.select.addEventListener("change", () => this.render());
    this.render();
  }

  render() {
    const list = this.element.querySelector(".bars");
    list.replaceChildren();
    const shown = this.bars.filter((bar) => `${bar.metric} ${bar.score}` === this.select.value);
    const all = shown.flatMap((bar) => [bar.percent, ...Object.values(bar.pictures), 0]);
    const [low, high] = [Math.min(...all) - 4, Math.max(...all) + 4];
    const at = (value) => (100 * (value - low)) / (high - low);
    for (const bar of shown.sort((one, other) => one.percent - other.percent)) {
      const look = this.looks[bar.rival];
      const item = html("li", {}, list);
      html("span", { class: "bar-name" }, item, look.title);
      const track = html("span", { class: "track" }, item);
      const [from, to] = [Math.min(0, bar.percent), Math.max(0, bar.percent)].map(at);
      html("span", { class: "bar", style: `left: ${from}%; width: ${to - from}%; background: var(--${look.color})` }, track);
      html("span", { class: "zero", style: `left: ${at(0)}%` }, track);
      for (const [picture, value] of Object.entries(bar.pictures)) {
        html("span", { class: "picture-dot", style: `left: ${at(value)}%`, title: `${picture}: ${signed(value)}` }, track);
      }
      const values = Object.values(bar.pictures);
      html("span", { class: "bar-value" }, item, `${signed(bar.percent)} (${signed(Math.min(...values))} to ${signed(Math.max(...values))})`);
    }
  }
}

class Heat {
  constructor(element, heat, looks) {
    this.element = element;
    this.heat = heat;
    this.looks = looks;
    this.sort = { rival: "", down: false };
    this.select = element.querySelector(".metric");
    heat.metrics.forEach((title, index) => option(this.select, index, title));
    this.select.value = heat.metrics.length - 1;
    this.select.addEventListener("change", () => this.render());
    this.render();
  }

  render() {
    const values = this.heat.values[this.select.value];
    const pictures = [...new Set(this.heat.rivals.flatMap((rival) => Object.keys(values[rival])))].sort();
    const { rival, down } = this.sort;
    if (rival) pictures.sort((one, other) => (values[rival][one] ?? Infinity) - (values[rival][other] ?? Infinity));
    if (down) pictures.reverse();
    const table = this.element.querySelector("table");
    const focused = document.activeElement?.dataset?.sort;
    table.replaceChildren();
    const head = html("tr", {}, html("thead", {}, table));
    for (const name of ["", ...this.heat.rivals]) {
      const order = rival === name ? (down ? "descending" : "ascending") : "none";
      const cell = html("th", { scope: "col", "aria-sort": order }, head);
      const mark = order === "none" ? "" : down ? " ▼" : " ▲";
      const button = html("button", { type: "button", "data-sort": name }, cell, (name ? this.looks[name].title : "picture") + mark);
      button.addEventListener("click", () => {
        this.sort = { rival: name, down: rival === name && !down };
        this.render();
      });
    }
    const body = html("tbody", {}, table);
    for (const picture of pictures) this.row(body, picture, this.heat.rivals.map((name) => values[name][picture]));
    this.row(html("tfoot", {}, table), "mean", this.heat.rivals.map((name) => {
      const found = Object.values(values[name]);
      return found.length ? found.reduce((sum, value) => sum + value, 0) / found.length : undefined;
    }));
    if (focused !== undefined) table.querySelector(`[data-sort="${focused}"]`)?.focus();
  }

  row(parent, title, values) {
    const row = html("tr", {}, parent);
    html("th", { scope: "row" }, row, title);
    for (const value of values) {
      const strength = Math.min(45, Math.abs(value ?? 0));
      const color = value === undefined ? "" : `background: color-mix(in srgb, var(${value < 0 ? "--good" : "--bad"}) ${strength}%, var(--page))`;
      html("td", { style: color }, row, value === undefined ? "N/A" : signed(value));
    }
  }
}
