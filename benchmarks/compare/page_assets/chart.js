// Rate-distortion curves as SVG: one chart per .chart element, read with the pointer or the arrow keys.

const SVG = "http://www.w3.org/2000/svg";
const BOX = { left: 58, right: 706, top: 16, bottom: 396 };

function draw(tag, attributes, parent, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function option(select, value, text) {
  select.add(new Option(text, value));
}

// Similarities are drawn as decibels of what they lack, like everywhere else.
function onAxis(metric, value) {
  return metric.similarity ? -10 * Math.log10(Math.max(1e-10, 1 - value)) : value;
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

function logTicks(low, high) {
  const found = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const factor of [1, 2, 3, 5]) if (factor * power >= low && factor * power <= high) found.push(factor * power);
  }
  return found;
}

class Chart {
  constructor(element, data) {
    this.element = element;
    this.data = data;
    this.bytes = element.dataset.x === "bytes";
    this.svg = element.querySelector("svg");
    this.reading = element.querySelector(".reading");
    this.hidden = new Set();
    this.at = { curve: 0, point: 0 };
    const metric = element.querySelector(".metric");
    data.metrics.forEach((each, index) => option(metric, index, each.title));
    const picture = element.querySelector(".picture");
    option(picture, "", "mean of all");
    data.pictures.forEach((name) => option(picture, name, name));
    for (const control of element.querySelectorAll("select, .published")) control.addEventListener("change", () => this.render());
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => this.point(event));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.legend();
    this.render();
  }

  legend() {
    const list = this.element.querySelector(".legend");
    this.data.codecs.forEach((codec, index) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => {
        this.hidden[box.checked ? "delete" : "add"](codec);
        this.render();
      });
      const key = document.createElement("span");
      key.className = "key";
      key.style.background = `var(--c${index % 8})`;
      label.append(box, key, codec);
      const item = document.createElement("li");
      item.append(label);
      list.append(item);
    });
  }

  // The curves to show, on the axes of the chart: {codec, color, dashed, points: [{x, y, rate, value, setting}]}.
  curves(metric, picture) {
    const own = this.data.series
      .filter((each) => each.metric === metric.name && each.picture === picture && !this.hidden.has(each.codec))
      .map((each) => ({ codec: each.codec, color: this.data.codecs.indexOf(each.codec), points: each.points }));
    const published = this.element.querySelector(".published");
    const others = published && published.checked && picture === ""
      ? this.data.published.filter((each) => each.metric === metric.name).map((each) => ({ ...each, dashed: true }))
      : [];
    return [...own, ...others].map((each) => ({
      ...each,
      points: each.points.map(([bpp, value, setting, bytes]) => ({
        x: Math.log(this.bytes ? bytes : bpp), y: onAxis(metric, value), bpp, value, setting, bytes,
      })),
    }));
  }

  render() {
    const metric = this.data.metrics[this.element.querySelector(".metric").value];
    this.metric = metric;
    this.shown = this.curves(metric, this.element.querySelector(".picture").value);
    const drawn = this.shown.filter((curve) => !curve.dashed);
    const points = (drawn.length ? drawn : this.shown).flatMap((curve) => curve.points);
    this.svg.replaceChildren();
    if (!points.length) return;
    const range = (key, margin) => {
      const values = points.map((point) => point[key]).filter(Number.isFinite);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const extra = (high - low || 1) * margin;
      return [low - extra, high + extra];
    };
    const [[x0, x1], [y0, y1]] = [range("x", 0.03), range("y", 0.05)];
    const x = (value) => BOX.left + ((value - x0) / (x1 - x0)) * (BOX.right - BOX.left);
    const y = (value) => BOX.bottom - ((value - y0) / (y1 - y0)) * (BOX.bottom - BOX.top);
    this.axes(x, y, [x0, x1], [y0, y1]);
    this.shown.forEach((curve) => this.curve(curve, x, y));
    this.marker = draw("circle", { class: "mark", r: 7, cx: -20, cy: -20 }, this.svg);
  }

  axes(x, y, [x0, x1], [y0, y1]) {
    for (const value of logTicks(Math.exp(x0), Math.exp(x1))) {
      const at = x(Math.log(value));
      draw("line", { class: "grid", x1: at, x2: at, y1: BOX.top, y2: BOX.bottom }, this.svg);
      draw("text", { x: at, y: BOX.bottom + 18, "text-anchor": "middle" }, this.svg, String(+value.toPrecision(2)));
    }
    for (const value of ticks(y0, y1, 6)) {
      draw("line", { class: "grid", x1: BOX.left, x2: BOX.right, y1: y(value), y2: y(value) }, this.svg);
      draw("text", { x: BOX.left - 6, y: y(value) + 4, "text-anchor": "end" }, this.svg, String(+value.toFixed(3)));
    }
    const unit = this.metric.similarity ? ", −10 log10(1 − value)" : this.metric.unit && `, ${this.metric.unit.trim()}`;
    draw("text", { x: BOX.left + 6, y: BOX.top + 14 }, this.svg, this.metric.title + unit);
    const label = this.bytes ? "bytes, header included" : "bits per pixel, header included";
    draw("text", { x: BOX.right, y: BOX.bottom + 36, "text-anchor": "end" }, this.svg, label);
    const clip = draw("clipPath", { id: `${this.element.id}-inside` }, this.svg);
    draw("rect", { x: BOX.left, y: BOX.top, width: BOX.right - BOX.left, height: BOX.bottom - BOX.top }, clip);
  }

  curve(curve, x, y) {
    const group = draw("g", { "clip-path": `url(#${this.element.id}-inside)` }, this.svg);
    for (const point of curve.points) [point.px, point.py] = [x(point.x), y(point.y)];
    const inside = curve.points.filter((point) => Number.isFinite(point.py));
    const style = curve.dashed ? "" : `stroke: var(--c${curve.color % 8})`;
    const kind = curve.dashed ? "curve dashed" : curve.color === 0 ? "curve subject" : "curve";
    draw("polyline", { class: kind, style, points: inside.map((point) => `${point.px},${point.py}`).join(" ") }, group);
    for (const point of curve.dashed ? [] : inside) {
      draw("circle", { class: "dot", r: 3.5, cx: point.px, cy: point.py, style: `fill: var(--c${curve.color % 8})` }, group);
    }
  }

  tell(curve, point) {
    if (!this.shown[curve]) return;
    this.at = { curve, point };
    const { codec, dashed, points } = this.shown[curve];
    const found = points[point];
    this.marker.setAttribute("cx", found.px);
    this.marker.setAttribute("cy", found.py);
    const value = `${this.metric.title} ${found.value.toFixed(this.metric.digits)}${this.metric.unit}`;
    const rate = dashed ? `${found.bpp.toFixed(3)} bpp` : `${found.bpp.toFixed(3)} bpp, ${found.bytes} bytes`;
    this.reading.textContent = `${codec}${dashed ? " (published)" : ` at ${found.setting}`}: ${rate}, ${value}`;
  }

  point(event) {
    const scale = 720 / this.svg.getBoundingClientRect().width;
    const [x, y] = [event.offsetX * scale, event.offsetY * scale];
    let best = { distance: Infinity };
    this.shown.forEach((curve, index) => curve.points.forEach((point, number) => {
      const outside = point.px < BOX.left || point.px > BOX.right || point.py < BOX.top || point.py > BOX.bottom;
      const distance = Math.hypot(point.px - x, point.py - y);
      if (!outside && distance < best.distance) best = { distance, index, number };
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
