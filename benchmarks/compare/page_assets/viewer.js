// Two codecs' versions of one picture: under a slider, or side by side with scrolling in step.

class Viewer {
  constructor(element, views) {
    this.element = element;
    this.views = views;
    this.get = (name) => element.querySelector(`.${name}`);
    for (const name of new Set(views.map((view) => view.image))) option(this.get("picture"), name, name);
    for (const target of new Set(views.filter((view) => view.target).map((view) => view.target))) {
      option(this.get("target"), target, `${target} bpp`);
    }
    for (const codec of new Set(views.map((view) => view.codec))) {
      option(this.get("left"), codec, codec);
      option(this.get("right"), codec, codec);
    }
    const codecs = [...this.get("left").options].map((each) => each.value).filter((codec) => codec !== "original");
    this.get("left").value = codecs[0];
    this.get("right").value = codecs.includes("jpeg") ? "jpeg" : "original";
    for (const control of element.querySelectorAll("select")) control.addEventListener("change", () => this.render());
    this.split = element.querySelector("input[type=range]");
    this.split.addEventListener("input", () => this.slide(this.split.value));
    this.drag();
    this.scrollTogether([...element.querySelectorAll(".stage")]);
    this.render();
  }

  find(codec) {
    const target = codec === "original" ? 0 : Number(this.get("target").value);
    return this.views.find(
      (view) => view.codec === codec && view.image === this.get("picture").value && view.target === target,
    );
  }

  slide(percent) {
    this.split.value = percent;
    this.element.style.setProperty("--split", `${percent}%`);
  }

  // Dragging on the picture moves the border as the slider does.
  drag() {
    const frame = this.element.querySelector(".frame");
    frame.addEventListener("pointermove", (event) => {
      if (!event.buttons || this.element.dataset.mode !== "slider") return;
      const box = frame.getBoundingClientRect();
      this.slide(Math.max(0, Math.min(100, (100 * (event.clientX - box.left)) / box.width)));
    });
    frame.addEventListener("dragstart", (event) => event.preventDefault());
  }

  scrollTogether(stages) {
    for (const stage of stages) {
      stage.addEventListener("scroll", () => {
        for (const other of stages) {
          if (other !== stage) other.scrollTo(stage.scrollLeft, stage.scrollTop);
        }
      });
    }
  }

  render() {
    const [left, right] = [this.find(this.get("left").value), this.find(this.get("right").value)];
    this.element.dataset.mode = this.get("mode").value;
    this.show("under", left);
    this.show("over", right);
    this.show("alone", right);
    const slider = this.element.dataset.mode === "slider";
    this.get("left-caption").textContent = slider ? `${this.caption(left)} | ${this.caption(right)}` : this.caption(left);
    this.get("right-caption").textContent = this.caption(right);
    const zoom = Number(this.get("zoom").value);
    for (const frame of this.element.querySelectorAll(".frame")) {
      frame.style.width = zoom ? `${(left.width * zoom) / window.devicePixelRatio}px` : "100%";
      frame.parentElement.classList.toggle("fit", !zoom);
    }
    this.files();
  }

  show(name, view) {
    const image = this.get(name);
    if (!view) return image.removeAttribute("src");
    image.src = view.uri;
    image.alt = this.caption(view);
  }

  caption(view) {
    if (!view) return "not measured";
    if (!view.target) return `original, ${view.width} × ${view.height}`;
    return `${view.codec}, ${view.bytes.toLocaleString("en")} bytes, ${view.psnr.toFixed(2)} dB`;
  }

  files() {
    const body = this.element.querySelector(".files tbody");
    body.replaceChildren();
    for (const codec of [...this.get("left").options].map((each) => each.value)) {
      const view = this.find(codec);
      if (!view || !view.target) continue;
      const share = (800 * view.bytes) / (view.target * view.width * view.height);
      const row = body.insertRow();
      for (const text of [codec, view.bytes.toLocaleString("en"), `${share.toFixed(0)} %`, `${view.psnr.toFixed(2)} dB`]) {
        row.insertCell().textContent = text;
      }
    }
  }
}
