const DATA = JSON.parse(document.getElementById("data").textContent);

const theme = document.getElementById("theme");
const dark = () => document.documentElement.dataset.theme === "dark"
  || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
theme.setAttribute("aria-pressed", dark());
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  theme.setAttribute("aria-pressed", dark());
});

const start = (id, make) => {
  const element = document.getElementById(id);
  if (element) make(element);
};
const chart = new Chart(document.getElementById("rd"), DATA.charts.rd);
start("multiples", (element) => new Multiples(element, chart));
start("equal", (element) => new Bars(element, DATA.bars, DATA.charts.rd.codecs));
start("heat", (element) => new Heat(element, DATA.heat, DATA.charts.rd.codecs));
start("small-chart", (element) => new Chart(element, DATA.charts.small));
start("viewer", (element) => new Viewer(element, DATA.views));
