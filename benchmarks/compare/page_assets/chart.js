// What all charts share: SVG nodes, ticks, markers. A chart is drawn at its size on the screen, so text keeps its size.

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, parent, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function html(tag, attributes, parent, text) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function option(select, value, text) {
  select.add(new Option(text, value));
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

// 1, 2, 5 times powers of ten; fewer where they would touch.
function logTicks(low, high, room) {
  for (const factors of [[1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
    const found = [];
    for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
      for (const factor of factors) if (factor * power >= low && factor * power <= high) found.push(factor * power);
    }
    if (found.length <= room || factors.length === 1) return found;
  }
}

const SHAPES = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  square: (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  diamond: (r) => `M0,${-1.4 * r}L${1.4 * r},0L0,${1.4 * r}L${-1.4 * r},0z`,
  triangle: (r) => `M0,${-1.3 * r}L${1.3 * r},${r}L${-1.3 * r},${r}z`,
  wedge: (r) => `M0,${1.3 * r}L${1.3 * r},${-r}L${-1.3 * r},${-r}z`,
  plus: (r) => `M${-1.3 * r},0h${2.6 * r}M0,${-1.3 * r}v${2.6 * r}`,
  cross: (r) => `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
  star: (r) => `M${-1.3 * r},0h${2.6 * r}M0,${-1.3 * r}v${2.6 * r}M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
};

function marker(look, x, y, parent, radius = 3.5) {
  const [shape, open] = look.marker.split("-");
  const stroke = open || ["plus", "cross", "star"].includes(shape);
  const style = stroke ? `fill: none; stroke: var(--${look.color}); stroke-width: 1.6` : `fill: var(--${look.color})`;
  return draw("path", { class: "dot", d: SHAPES[shape](radius), transform: `translate(${x} ${y})`, style }, parent);
}

// The line and marker of a codec, for legends.
function key(look, parent) {
  const svg = draw("svg", { class: "key", viewBox: "0 0 34 14", width: 34, height: 14, "aria-hidden": "true" }, parent);
  const style = `stroke: var(--${look.color}); stroke-width: 2; stroke-dasharray: ${look.dash || "none"}`;
  draw("line", { x1: 0, x2: 34, y1: 7, y2: 7, style }, svg);
  marker(look, 17, 7, svg, 4);
}
