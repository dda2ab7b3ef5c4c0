// Rate-distortion curves: one chart per .chart element, read with the pointer or the arrow keys; and small multiples.

// Similarities are drawn as decibels of what they lack, as papers do.
function onAxis(metric, value) {
  return metric.similarity ? -10 * Math.log10(Math.max(1e-10, 1 - value)) : value;
}

function range(points, name, margin) {
  const values = points.map((point) => point[name]).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const extra = (high - low || 1) * margin;
  return [low - extra, high + extra];
}

class Chart {
  constructor(element, data) {
    this.element = element;
    this.data = data;
    this.bytes = element.dataset.x === "bytes";
    this.svg = element.querySelector("svg");
    this.tip = element.querySelector(".tip");
    this.reading = element.querySelector(".reading");
    const looks = Object.entries(data.codecs);
    const shown = looks.filter(([, look]) => look.shown);
    this.hidden = new Set(shown.length ? looks.filter(([, look]) => !look.shown).map(([codec]) => codec) : []);
    this.at = { curve: 0, point: 0 };
    const metric = element.querySelector(".metric");
    data.metrics.forEach((each, index) => option(metric, index, each.title));
    const picture = element.querySelector(".picture");
    option(picture, "", "mean of all");
    data.pictures.forEach((name) => option(picture, name, name));
    for (const control of element.querySelectorAll("select, input")) control.addEventListener("change", () => this.render());
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.legend();
    new ResizeObserver(() => {
      if (this.svg.clientWidth !== this.width) this.render();
    }).observe(this.svg);
    this.render();
  }

  legend() {
    const list = this.element.querySelector(".legend");
    for (const [codec, look] of Object.entries(this.data.codecs)) {
      const label = html("label", {}, html("li", {}, list));
      const box = html("input", { type: "checkbox" }, label);
      box.checked = !this.hidden.has(codec);
      box.addEventListener("change", () => {
        this.hidden[box.checked ? "delete" : "add"](codec);
        this.render();
      });
      key(look, label);
      html("span", {}, label, look.title);
    }
  }

  get metric() {
    return this.data.metrics[this.element.querySelector(".metric").value];
  }

  get linear() {
    return this.element.querySelector(".linear").checked;
  }

  // The curves to show: {codec, look, published, points: [{x, y, bpp, value, setting, bytes}]}.
  curves() {
    const picture = this.element.querySelector(".picture").value;
    const own = this.data.series
      .filter((each) => each.metric === this.metric.name && each.picture === picture && !this.hidden.has(each.codec))
      .map((each) => ({ ...each, look: this.data.codecs[each.codec] }));
    const published = this.element.querySelector(".published");
    const others = published && published.checked && picture === ""
      ? this.data.published.filter((each) => each.metric === this.metric.name).map((each) => ({ ...each, published: true }))
      : [];
    const scale = this.linear ? (value) => value : Math.log;
    return [...own, ...others].map((each) => ({
      ...each,
      points: each.points.map(([bpp, value, setting, bytes]) => ({
        x: scale(this.bytes ? bytes : bpp), y: onAxis(this.metric, value), bpp, value, setting, bytes,
      })),
    }));
  }

  render() {
    this.shown = this.curves();
    this.tip.hidden = true;
    this.svg.replaceChildren();
    this.width = this.svg.clientWidth;
    const height = Math.round(Math.max(300, Math.min(460, 0.6 * this.width)));
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.style.height = `${height}px`;
    this.names = this.shown.some((curve) => curve.published) && this.width > 560;
    this.box = { left: 44, right: this.width - (this.names ? 150 : 12), top: 26, bottom: height - 42 };
    const drawn = this.shown.filter((curve) => !curve.published);
    const points = (drawn.length ? drawn : this.shown).flatMap((curve) => curve.points);
    if (!points.length) return;
    const [[x0, x1], [y0, y1]] = [range(points, "x", 0.03), range(points, "y", 0.05)];
    const { left, right, top, bottom } = this.box;
    const x = (value) => left + ((value - x0) / (x1 - x0)) * (right - left);
    const y = (value) => bottom - ((value - y0) / (y1 - y0)) * (bottom - top);
    this.axes(x, y, [x0, x1], [y0, y1]);
    this.shown.forEach((curve) => this.curve(curve, x, y));
    this.labels();
    this.mark = draw("circle", { class: "mark", r: 7, cx: -20, cy: -20 }, this.svg);
  }

  axes(x, y, [x0, x1], [y0, y1]) {
    const { left, right, top, bottom } = this.box;
    const room = Math.floor((right - left) / 40);
    const marks = this.linear ? ticks(Math.max(0, x0), x1, Math.min(8, room)) : logTicks(Math.exp(x0), Math.exp(x1), room);
    for (const value of marks) {
      const at = x(this.linear ? value : Math.log(value));
      draw("line", { class: "grid", x1: at, x2: at, y1: top, y2: bottom }, this.svg);
      draw("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, this.svg, String(+value.toPrecision(2)));
    }
    for (const value of ticks(y0, y1, 6)) {
      draw("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }, this.svg);
      draw("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, this.svg, String(+value.toFixed(3)));
    }
    const unit = this.metric.similarity ? ", −10 log10(1 − value)" : this.metric.unit && `, ${this.metric.unit.trim()}`;
    draw("text", { x: 4, y: 16 }, this.svg, this.metric.title + unit);
    const label = `${this.bytes ? "bytes" : "bits per pixel"}, header included`;
    draw("text", { x: right, y: bottom + 34, "text-anchor": "end" }, this.svg, label);
    const clip = draw("clipPath", { id: `${this.element.id}-inside` }, this.svg);
    draw("rect", { x: left, y: top, width: right - left, height: bottom - top }, clip);
  }

  curve(curve, x, y) {
    const group = draw("g", { "clip-path": `url(#${this.element.id}-inside)` }, this.svg);
    for (const point of curve.points) [point.px, point.py] = [x(point.x), y(point.y)];
    const inside = curve.points.filter((point) => Number.isFinite(point.py));
    const line = inside.map((point) => `${point.px},${point.py}`).join(" ");
    if (curve.published) return draw("polyline", { class: "curve published-curve", points: line }, group);
    const style = `stroke: var(--${curve.look.color}); stroke-dasharray: ${curve.look.dash || "none"}`;
    draw("polyline", { class: curve.codec === "ddnc" ? "curve subject" : "curve", style, points: line }, group);
    for (const point of inside) marker(curve.look, point.px, point.py, group);
  }

  // Names of published curves at the ends of their lines; letters where there is no room, explained in the legend.
  labels() {
    const list = this.element.querySelector(".letters");
    if (list) list.replaceChildren();
    const ends = this.shown.filter((curve) => curve.published).map((curve, index) => {
      const visible = curve.points.filter((point) => this.inside(point));
      return { text: curve.codec, letter: String.fromCharCode(97 + index), end: visible[visible.length - 1] };
    }).filter((each) => each.end);
    ends.sort((one, other) => one.end.py - other.end.py);
    let last = -Infinity;
    for (const { text, letter, end } of ends) {
      last = Math.max(end.py + 4, last + 13);
      const at = this.names ? this.box.right + 6 : Math.min(end.px + 4, this.box.right - 8);
      if (this.names) draw("line", { class: "leader", x1: end.px, y1: end.py, x2: at - 2, y2: last - 4 }, this.svg);
      draw("text", { class: "end", x: at, y: last }, this.svg, this.names ? text : letter);
      if (!this.names) html("li", {}, list, `${letter}: ${text}`);
    }
  }

  inside(point) {
    const { left, right, top, bottom } = this.box;
    return point.px >= left && point.px <= right && point.py >= top && point.py <= bottom;
  }

  tell(curve, point) {
    if (!this.shown[curve]) return;
    this.at = { curve, point };
    const { codec, look, published, points } = this.shown[curve];
    const found = points[point];
    this.mark.setAttribute("cx", found.px);
    this.mark.setAttribute("cy", found.py);
    const value = `${this.metric.title} ${found.value.toFixed(this.metric.digits)}${this.metric.unit}`;
    const rate = published ? `${found.bpp.toFixed(3)} bpp` : `${found.bpp.toFixed(3)} bpp, ${found.bytes} bytes`;
    this.reading.textContent = `${published ? codec : look.title}${published ? " (published)" : ` at ${found.setting}`}: ${rate}, ${value}`;
    this.tip.textContent = this.reading.textContent;
    this.tip.hidden = false;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(this.width - width, found.px - width / 2))}px`;
    this.tip.style.top = `${found.py - this.tip.offsetHeight - 12 < 0 ? found.py + 12 : found.py - this.tip.offsetHeight - 12}px`;
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = { distance: Infinity };
    this.shown.forEach((curve, index) => curve.points.forEach((point, number) => {
      const distance = Math.hypot(point.px - x, point.py - y);
      if (this.inside(point) && distance < best.distance) best = { distance, index, number };
    }));
    if (best.distance < Infinity) this.tell(best.index, best.number);
  }

  key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !this.shown.length) return;
    event.preventDefault();
    const curve = (this.at.curve + step[0] + this.shown.length) % this.shown.length;
    const last = this.shown[curve].points.length - 1;
    this.tell(curve, Math.max(0, Math.min(last, this.at.point + step[1])));
  }
}

// A small chart for each picture, all on the same axes, of the codecs that are shown at first; a click opens it above.
class Multiples {
  constructor(element, chart) {
    this.element = element;
    this.chart = chart;
    this.select = element.querySelector(".metric");
    chart.data.metrics.forEach((each, index) => option(this.select, index, each.title));
    this.select.addEventListener("change", () => this.render());
    this.render();
  }

  render() {
    const grid = this.element.querySelector(".grid-of-charts");
    grid.replaceChildren();
    const { data } = this.chart;
    const metric = data.metrics[this.select.value];
    const series = data.series.filter((each) => each.metric === metric.name && data.codecs[each.codec].shown);
    const all = series.filter((each) => each.picture).map((each) => ({
      ...each, points: each.points.map(([bpp, value]) => ({ x: Math.log(bpp), y: onAxis(metric, value) })),
    }));
    const points = all.flatMap((each) => each.points);
    if (!points.length) return;
    const [[x0, x1], [y0, y1]] = [range(points, "x", 0.02), range(points, "y", 0.02)];
    for (const picture of data.pictures) {
      const button = html("button", { type: "button", class: "small-chart" }, grid);
      const svg = draw("svg", { viewBox: "0 0 160 110", "aria-hidden": "true" }, button);
      for (const each of all.filter((one) => one.picture === picture)) {
        const look = data.codecs[each.codec];
        const line = each.points.filter((point) => Number.isFinite(point.y)).map((point) =>
          `${(160 * (point.x - x0)) / (x1 - x0)},${110 - (110 * (point.y - y0)) / (y1 - y0)}`).join(" ");
        const width = each.codec === "ddnc" ? 2.5 : 1.3;
        draw("polyline", { points: line, style: `fill: none; stroke: var(--${look.color}); stroke-width: ${width}; stroke-dasharray: ${look.dash || "none"}` }, svg);
      }
      html("span", {}, button, picture);
      button.addEventListener("click", () => this.open(picture));
    }
    const span = (low, high, digits, unit) => `${low.toFixed(digits)} to ${high.toFixed(digits)}${unit}`;
    this.element.querySelector(".axes").textContent = `All on the same axes: ${span(Math.exp(x0), Math.exp(x1), 2, "")} bits per pixel `
      + `(logarithmic) and ${metric.title} ${span(y0, y1, 1, metric.similarity ? " dB" : metric.unit)}. A click shows one in the chart above.`;
  }

  open(picture) {
    const { element } = this.chart;
    element.querySelector(".picture").value = picture;
    element.querySelector(".metric").value = this.select.value;
    this.chart.render();
    element.scrollIntoView({ block: "start" });
    element.querySelector("svg").focus({ preventScroll: true });
  }
}
