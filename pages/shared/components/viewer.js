// Pictures that zoom and move as one. The state is three numbers: zoom (1 = the whole picture fits its frame) and
// the shift x, y in fractions of a frame. They are custom properties of the root; every picture's transform reads
// them, in every frame and every mode.

const STEP = Math.SQRT2; // of the zoom buttons and keys
const NUDGE = 0.1; // of a frame, of the arrow keys
const HALF_BLINK = 1000 / 1.5; // milliseconds between two changes: 1.5 Hz, well below what can provoke seizures
const NEAR = 24; // pixels: a press this close to the divider takes hold of it
const NARROWEST = 190; // pixels a panel needs before another column is opened
const AROUND_STAGE = 130; // pixels of controls and help above and below the pictures in full screen
const ABOVE_PANEL = 44; // pixels of caption and gap with every row of panels
const GAP = 12; // pixels between panels
const LONGEST_MAP = 1200; // pixels, longest side of the difference map
// Dark to light in even steps, so that the map also reads without colour.
const RAMP = [[0, 0, 4], [51, 16, 104], [136, 34, 106], [203, 65, 73], [240, 115, 29], [252, 180, 40], [252, 255, 164]];

const viewers = new WeakMap(); // root element -> Viewer; Streamlit calls the function below once per change of data

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".viewer");
  if (!viewers.has(root)) viewers.set(root, new Viewer(root));
  const viewer = viewers.get(root);
  viewer.show(data.panels);
  return () => viewer.stop();
}

class Viewer {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector(".stage");
    this.duo = root.querySelector(".duo");
    this.range = root.querySelector(".divider-range");
    this.selects = [root.querySelector(".first"), root.querySelector(".second")];
    this.panels = [];
    this.view = { zoom: 1, x: 0, y: 0 };
    this.pointers = new Map(); // pointer id -> its last event: one drags, two pinch
    this.playing = false;
    this.drawings = 0; // counts difference maps, so that a slow one cannot overwrite a newer one
    this.listen();
    this.resizing = new ResizeObserver(() => this.arrange());
    this.resizing.observe(root);
  }

  // What is shown

  show(panels) {
    const before = this.panels.length;
    this.panels = panels;
    const { width, height } = panels.at(-1);
    this.root.style.setProperty("--aspect", width / height);
    this.root.toggleAttribute("data-single", panels.length < 2);
    fillPanels(this.root.querySelector(".panels"), panels);
    const kept = before === panels.length ? this.pair() : [0, panels.length - 1];
    this.selects.forEach((select, index) => {
      select.replaceChildren(...panels.map((panel, number) => new Option(panel.label, number)));
      select.value = kept[index];
    });
    this.arrange();
    this.setMode(panels.length < 2 ? "side" : this.mode());
    this.pairChanged();
  }

  mode() {
    return this.root.dataset.mode;
  }

  pair() {
    return this.selects.map((select) => Number(select.value));
  }

  setMode(mode) {
    const entered = mode !== this.mode();
    this.root.dataset.mode = mode;
    for (const button of this.root.querySelectorAll(".modes button")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    }
    if (entered) this.play(mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches);
    if (entered && mode === "difference") this.drawDifference();
    this.moveDivider(Number(this.range.value));
    this.apply();
  }

  pairChanged() {
    const [one, two] = this.pair().map((index) => this.panels[index]);
    setPicture(this.root.querySelector(".one"), one);
    setPicture(this.root.querySelector(".two"), two);
    setCaption(this.root.querySelector(".left"), one);
    setCaption(this.root.querySelector(".right"), two);
    this.range.setAttribute("aria-label", `Divider: ${one.label} to the left, ${two.label} to the right`);
    if (this.mode() === "difference") this.drawDifference();
  }

  arrange() {
    if (!this.panels.length) return;
    const width = this.stage.clientWidth;
    const full = this.root.matches(":fullscreen");
    const [columns, widest] = full ? this.fillScreen(width) : [this.fillWidth(width), width];
    this.root.style.setProperty("--columns", columns);
    this.root.style.setProperty("--widest", `${widest}px`);
    this.root.toggleAttribute("data-narrow", Math.min(widest, width / columns) < 260);
    this.apply();
  }

  // Rows of equal length: seven panels that fit by six stand as four and three.
  fillWidth(width) {
    const fitting = Math.max(Math.min(2, this.panels.length), Math.floor(width / NARROWEST));
    return Math.ceil(this.panels.length / Math.ceil(this.panels.length / fitting));
  }

  // The number of columns that makes the panels largest without scrolling, and their width then.
  fillScreen(width) {
    const { width: across, height: down } = this.panels.at(-1);
    const height = window.innerHeight - AROUND_STAGE;
    return this.panels
      .map((_, index) => {
        const rows = Math.ceil(this.panels.length / (index + 1));
        return [index + 1, Math.min(width / (index + 1) - GAP, (height / rows - ABOVE_PANEL) * (across / down))];
      })
      .reduce((best, next) => (next[1] > best[1] ? next : best));
  }

  // Zoom and position

  frame() {
    return this.mode() === "side" ? this.root.querySelector(".panel .frame") : this.duo;
  }

  // CSS pixels per pixel of the last panel's picture when it just fits.
  fittedScale() {
    return (this.frame()?.clientWidth || 1) / this.panels.at(-1).width;
  }

  zoomTo(zoom, at = { x: 0, y: 0 }) {
    const actual = 1 / this.fittedScale();
    const next = clamp(zoom, Math.min(1, actual), Math.max(8, 8 * actual));
    const ratio = next / this.view.zoom;
    // The point under the pointer stays where it is.
    this.place(next, at.x - (at.x - this.view.x) * ratio, at.y - (at.y - this.view.y) * ratio);
    return ratio !== 1;
  }

  place(zoom, x, y) {
    const reach = Math.max(0, (zoom - 1) / 2);
    this.view = { zoom, x: clamp(x, -reach, reach), y: clamp(y, -reach, reach) };
    this.apply();
  }

  apply() {
    if (!this.panels.length) return;
    const { zoom, x, y } = this.view;
    this.root.style.setProperty("--zoom", zoom);
    this.root.style.setProperty("--x", x);
    this.root.style.setProperty("--y", y);
    const scale = zoom * this.fittedScale();
    this.root.toggleAttribute("data-zoomed", zoom > 1);
    this.root.toggleAttribute("data-pixels", scale >= 3);
    this.root.querySelector(".percent").textContent = `${Math.round(scale * 100)} %`;
  }

  moveDivider(percent) {
    this.range.value = percent;
    this.duo.style.setProperty("--divider", this.range.value);
    this.range.setAttribute("aria-valuetext", `${this.range.value} %`);
  }

  // Blink

  play(playing) {
    this.playing = playing;
    clearInterval(this.timer);
    if (playing) this.timer = setInterval(() => this.flip(), HALF_BLINK);
    else this.duo.dataset.shows ??= "one";
    this.root.querySelector('[data-do="play"]').textContent = playing ? "Pause" : "Play";
  }

  flip() {
    this.duo.dataset.shows = this.duo.dataset.shows === "one" ? "two" : "one";
  }

  // Difference

  async drawDifference() {
    const number = ++this.drawings;
    const pictures = [this.root.querySelector(".one"), this.root.querySelector(".two")];
    await Promise.all(pictures.map((picture) => picture.decode()));
    if (number !== this.drawings) return;
    const { width, height } = this.panels.at(-1);
    const shrink = Math.min(1, LONGEST_MAP / Math.max(width, height));
    const size = [Math.round(width * shrink), Math.round(height * shrink)];
    const gain = Number(this.root.querySelector(".gain").value);
    const canvas = this.root.querySelector("canvas");
    const mean = paintDifference(canvas, pictures.map((picture) => pixelsOf(picture, size)), gain);
    const [one, two] = this.pair().map((index) => this.panels[index].label);
    canvas.setAttribute("aria-label", `Difference between ${one} and ${two}`);
    this.root.querySelector(".scale").style.background = `linear-gradient(to right, ${RAMP.map((c) => `rgb(${c})`)})`;
    this.root.querySelector(".most").textContent = gain === 1 ? "255" : `${(255 / gain).toPrecision(3)} and more, of 255`;
    this.root.querySelector(".mean").textContent = `Mean difference ${mean.toPrecision(3)} of 255`;
  }

  // Input. The root outlives changes of data, so listeners are added once.

  listen() {
    const { root, stage } = this;
    for (const button of root.querySelectorAll(".modes button")) {
      button.addEventListener("click", () => this.setMode(button.dataset.mode));
    }
    for (const button of root.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.perform(button.dataset.do));
    }
    for (const select of this.selects) select.addEventListener("change", () => this.pairChanged());
    root.querySelector(".gain").addEventListener("change", () => this.drawDifference());
    root.querySelector('[data-do="fullscreen"]').hidden = !document.fullscreenEnabled;
    this.range.addEventListener("input", () => this.moveDivider(this.range.value));
    root.addEventListener("keydown", (event) => this.onKey(event));
    stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.onPress(event));
    stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => this.onRelease(event));
    }
    stage.addEventListener("dblclick", (event) => this.onDoubleClick(event));
  }

  perform(action) {
    const { zoom, x, y } = this.view;
    const actions = {
      in: () => this.zoomTo(zoom * STEP),
      out: () => this.zoomTo(zoom / STEP),
      fit: () => this.place(1, 0, 0),
      actual: () => this.zoomTo(1 / this.fittedScale()),
      left: () => this.place(zoom, x + NUDGE, y),
      right: () => this.place(zoom, x - NUDGE, y),
      up: () => this.place(zoom, x, y + NUDGE),
      down: () => this.place(zoom, x, y - NUDGE),
      play: () => this.play(!this.playing),
      flip: () => this.flipByHand(),
      swap: () => this.swap(),
      fullscreen: () => this.toggleFullscreen(),
    };
    actions[action]();
  }

  flipByHand() {
    this.play(false);
    this.flip();
  }

  swap() {
    const [one, two] = this.pair();
    this.selects[0].value = two;
    this.selects[1].value = one;
    this.pairChanged();
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen();
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    const action = this.actionOf(event.key, event.target);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has shortcuts of its own
    action();
  }

  actionOf(key, target) {
    const modes = { s: "side", w: "wipe", b: "blink", d: "difference" };
    const mode = modes[key.toLowerCase()];
    if (mode && this.panels.length > 1) return () => this.setMode(mode);
    const plain = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "actual", f: "fullscreen" };
    if (plain[key]) return () => this.perform(plain[key]);
    // Space presses a button and arrows move the divider when those have the focus.
    if (key === " " && this.mode() === "blink" && !target.matches("button")) return () => this.perform("flip");
    const arrows = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
    const free = this.view.zoom > 1 && target !== this.range;
    return arrows[key] && free ? () => this.perform(arrows[key]) : null;
  }

  // Where in its frame an event lies: fractions from the centre.
  locate(event) {
    const frame = event.target.closest(".frame") ?? this.frame();
    const box = frame.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width - 0.5,
      y: (event.clientY - box.top) / box.height - 0.5,
      width: box.width,
      height: box.height,
    };
  }

  // Without a click first, the wheel scrolls the page as it does everywhere else.
  onWheel(event) {
    const asked = event.ctrlKey || event.metaKey || this.stage.matches(":focus-within");
    if (!asked || !event.target.closest(".frame")) return;
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1);
    if (this.zoomTo(this.view.zoom * Math.exp(-pixels / 500), this.locate(event))) event.preventDefault();
  }

  onPress(event) {
    const frame = event.target.closest(".frame");
    if (!frame || event.button !== 0) return;
    this.pointers.set(event.pointerId, event);
    frame.setPointerCapture(event.pointerId);
    const at = this.locate(event);
    const distance = Math.abs((at.x + 0.5 - this.range.value / 100) * at.width);
    this.wiping = this.mode() === "wipe" && (distance < NEAR || this.view.zoom <= 1);
    if (this.wiping) this.moveDivider((at.x + 0.5) * 100);
    this.root.toggleAttribute("data-dragging", !this.wiping && this.view.zoom > 1);
  }

  onMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const at = this.locate(event);
    if (this.pointers.size === 2) this.pinch(event, at);
    else if (this.wiping) this.moveDivider((at.x + 0.5) * 100);
    else {
      const { zoom, x, y } = this.view;
      this.place(zoom, x + (event.clientX - last.clientX) / at.width, y + (event.clientY - last.clientY) / at.height);
    }
    this.pointers.set(event.pointerId, event);
  }

  pinch(event, at) {
    const [, other] = [...this.pointers].find(([id]) => id !== event.pointerId);
    const last = this.pointers.get(event.pointerId);
    const spread = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const centre = this.locate(other);
    const middle = { x: (at.x + centre.x) / 2, y: (at.y + centre.y) / 2 };
    this.zoomTo((this.view.zoom * spread(event)) / Math.max(1, spread(last)), middle);
  }

  onRelease(event) {
    this.pointers.delete(event.pointerId);
    this.root.removeAttribute("data-dragging");
  }

  onDoubleClick(event) {
    if (!event.target.closest(".frame") || this.mode() === "wipe") return;
    if (this.view.zoom > 1) this.place(1, 0, 0);
    else this.zoomTo(2, this.locate(event));
  }

  stop() {
    clearInterval(this.timer);
    this.resizing.disconnect();
    viewers.delete(this.root);
  }
}

function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

function fillPanels(list, panels) {
  while (list.children.length > panels.length) list.lastElementChild.remove();
  panels.forEach((panel, index) => {
    const figure = list.children[index] ?? addPanel(list);
    setPicture(figure.querySelector("img"), panel);
    setCaption(figure.querySelector("figcaption"), panel);
    figure.querySelector(".size").textContent = `${panel.width} × ${panel.height}`;
  });
}

function addPanel(list) {
  const figure = document.createElement("figure");
  figure.className = "panel";
  figure.innerHTML =
    '<figcaption><i class="swatch"></i><span class="ellipsis"></span><span class="size"></span></figcaption>' +
    '<div class="frame"><img class="layer" alt="" draggable="false"></div>';
  list.append(figure);
  return figure;
}

function setPicture(picture, panel) {
  if (picture.src !== panel.url) picture.src = panel.url;
  picture.alt = panel.label;
}

function setCaption(caption, panel) {
  const text = caption.querySelector(".ellipsis");
  text.textContent = text.title = panel.label;
  const swatch = caption.querySelector(".swatch");
  if (panel.colour) swatch.style.setProperty("--colour", panel.colour);
  else swatch.removeAttribute("style");
}

// The picture as it lies in its frame, at the size of the map: contained, centred.
function pixelsOf(picture, [width, height]) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const scale = Math.min(width / picture.naturalWidth, height / picture.naturalHeight);
  const [w, h] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  return context.getImageData(0, 0, width, height);
}

// Paints the mean absolute difference of the three channels, times gain; returns its mean over the picture, 0..255.
function paintDifference(canvas, [one, two], gain) {
  const map = new ImageData(one.width, one.height);
  const colours = Array.from({ length: 256 }, (_, level) => rampAt(level / 255));
  let sum = 0;
  for (let i = 0; i < map.data.length; i += 4) {
    const difference =
      (Math.abs(one.data[i] - two.data[i]) +
        Math.abs(one.data[i + 1] - two.data[i + 1]) +
        Math.abs(one.data[i + 2] - two.data[i + 2])) / 3;
    sum += difference;
    map.data.set(colours[Math.min(255, Math.round(difference * gain))], i);
  }
  [canvas.width, canvas.height] = [map.width, map.height];
  canvas.getContext("2d").putImageData(map, 0, 0);
  return sum / (map.width * map.height);
}

function rampAt(fraction) {
  const place = fraction * (RAMP.length - 1);
  const index = Math.min(RAMP.length - 2, Math.floor(place));
  const mix = place - index;
  return [0, 1, 2].map((c) => RAMP[index][c] * (1 - mix) + RAMP[index + 1][c] * mix).concat(255);
}
