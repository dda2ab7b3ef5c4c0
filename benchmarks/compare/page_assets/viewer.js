// Two codecs' versions of one picture: under a slider, in turn, side by side, or as their difference.

const NEAR = 0.1; // a file is of the size aimed at if it is off by at most this share

class Viewer {
  constructor(element, views) {
    this.element = element;
    this.views = views;
    this.get = (name) => element.querySelector(`.${name}`);
    this.stages = [...element.querySelectorAll(".stage")];
    for (const name of new Set(views.map((view) => view.image))) option(this.get("picture"), name, name);
    for (const target of new Set(views.filter((view) => view.target).map((view) => view.target))) {
      option(this.get("target"), target, `${target} bpp`);
    }
    for (const [codec, title] of new Map(views.map((view) => [view.codec, view.title]))) {
      for (const side of ["left", "right"]) option(this.get(side), codec, title);
    }
    this.start();
    this.read();
    for (const control of element.querySelectorAll("select")) control.addEventListener("change", () => this.render());
    this.split = element.querySelector("input[type=range]");
    this.split.addEventListener("input", () => this.slide(this.split.value));
    this.get("flicker").addEventListener("click", () => this.flicker());
    element.addEventListener("keydown", (event) => {
      if (event.key === "f" && !event.ctrlKey && !event.metaKey) this.flicker();
    });
    this.drag();
    this.scrollTogether();
    addEventListener("hashchange", () => { if (this.read()) this.render(); });
    new ResizeObserver(() => this.zoom()).observe(element);
    this.render();
    if (location.hash.startsWith("#view=")) element.scrollIntoView();
  }

  off(view) {
    return Math.abs((8 * view.bytes) / (view.target * view.width * view.height) - 1);
  }

  // The first picture and size at which ddnc and AVIF, or else another codec, have files of the size aimed at.
  start() {
    const near = this.views.filter((view) => view.target && this.off(view) <= NEAR);
    const order = ["avif", "avif-psnr", "jxl", "webp", "jpeg"];
    const rank = (view) => (order.includes(view.codec) ? order.indexOf(view.codec) : order.length);
    const pairs = near.filter((view) => view.codec === "ddnc").flatMap((own) => near
      .filter((view) => view.codec !== "ddnc" && view.image === own.image && view.target === own.target)
      .map((other) => ({ own, other })));
    pairs.sort((one, two) => rank(one.other) - rank(two.other));
    const [left, right] = pairs.length ? [pairs[0].own, pairs[0].other] : [this.views.find((view) => view.target), this.views.find((view) => !view.target)];
    if (left) this.choose({ picture: left.image, target: left.target, left: left.codec, right: right ? right.codec : left.codec });
  }

  choose(values) {
    for (const [name, value] of Object.entries(values)) {
      const select = this.get(name);
      if (select && [...select.options].some((each) => each.value === String(value))) select.value = value;
    }
  }

  // The address: #view=picture,size,left,right,mode,zoom,x,y with x and y the middle of the crop as shares.
  read() {
    if (!location.hash.startsWith("#view=")) return false;
    const parts = location.hash.slice(6).split(",").map(decodeURIComponent);
    const [picture, target, left, right, mode, zoom, x, y] = parts;
    this.choose({ picture, target, left, right, mode, zoom });
    this.middle = [Number(x), Number(y)].every(Number.isFinite) ? [Number(x), Number(y)] : undefined;
    return true;
  }

  write() {
    const stage = this.stages[0];
    const share = (start, size, whole) => ((start + size / 2) / (whole || 1)).toFixed(3);
    const crop = [share(stage.scrollLeft, stage.clientWidth, stage.scrollWidth), share(stage.scrollTop, stage.clientHeight, stage.scrollHeight)];
    const values = ["picture", "target", "left", "right", "mode", "zoom"].map((name) => this.get(name).value);
    this.get("link").href = `#view=${[...values, ...crop].map(encodeURIComponent).join(",")}`;
  }

  find(codec) {
    const target = codec === "original" ? 0 : Number(this.get("target").value);
    return this.views.find((view) => view.codec === codec && view.image === this.get("picture").value && view.target === target);
  }

  slide(percent) {
    this.split.value = percent;
    this.element.style.setProperty("--split", `${percent}%`);
  }

  // In turn: the whole of the left picture, then the whole of the right one.
  flicker() {
    if (this.element.dataset.mode !== "slider") {
      this.get("mode").value = "slider";
      this.render();
    }
    this.slide(Number(this.split.value) < 50 ? 100 : 0);
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

  scrollTogether() {
    for (const stage of this.stages) {
      stage.addEventListener("scroll", () => {
        for (const other of this.stages) if (other !== stage) other.scrollTo(stage.scrollLeft, stage.scrollTop);
        this.write();
      });
    }
  }

  render() {
    const [left, right] = [this.find(this.get("left").value), this.find(this.get("right").value)];
    const mode = this.get("mode").value;
    this.element.dataset.mode = mode;
    this.show("under", left);
    this.show("over", right);
    this.show("alone", right);
    const captions = [this.caption(left), this.caption(right)];
    this.get("left-caption").textContent = mode === "beside" ? captions[0] : `${captions[0]} | ${captions[1]}`;
    this.get("right-caption").textContent = captions[1];
    this.zoom();
    this.files();
    if (this.middle) {
      const [stage, [x, y]] = [this.stages[0], this.middle];
      stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
      this.middle = undefined;
    }
    this.write();
  }

  // "fit": the whole picture is in view, in width and in height.
  zoom() {
    const view = this.find(this.get("left").value) ?? this.find("original");
    if (!view) return;
    const zoom = Number(this.get("zoom").value);
    for (const stage of this.stages) {
      const fit = Math.min(stage.clientWidth, (0.8 * innerHeight * view.width) / view.height);
      stage.firstElementChild.style.width = `${zoom ? (view.width * zoom) / devicePixelRatio : fit}px`;
      stage.classList.toggle("fit", !zoom);
    }
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
    const far = this.off(view) > NEAR ? ", far from the size aimed at" : "";
    return `${view.title}, ${view.bytes.toLocaleString("en")} bytes, ${view.psnr.toFixed(2)} dB${far}`;
  }

  files() {
    const body = this.element.querySelector(".files tbody");
    body.replaceChildren();
    for (const codec of [...this.get("left").options].map((each) => each.value)) {
      const view = this.find(codec);
      if (!view || !view.target) continue;
      const share = (800 * view.bytes) / (view.target * view.width * view.height);
      const row = body.insertRow();
      for (const text of [view.title, view.bytes.toLocaleString("en"), `${share.toFixed(0)} %`, `${view.psnr.toFixed(2)} dB`]) {
        row.insertCell().textContent = text;
      }
    }
  }
}
