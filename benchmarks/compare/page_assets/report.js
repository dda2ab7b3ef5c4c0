const DATA = JSON.parse(document.getElementById("data").textContent);

const theme = document.getElementById("theme");
const dark = () => document.documentElement.dataset.theme === "dark"
  || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
theme.setAttribute("aria-pressed", dark());
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  theme.setAttribute("aria-pressed", dark());
});

new Chart(document.getElementById("rd"), DATA.charts.rd);
const small = document.getElementById("small-chart");
if (small) new Chart(small, DATA.charts.small);
const viewer = document.querySelector(".viewer");
if (viewer) new Viewer(viewer, DATA.views);
