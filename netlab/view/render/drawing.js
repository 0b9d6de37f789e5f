// The interactive picture: one module for the notebook's widget (render) and for a static page (mount), in three files
// that html.py joins: drawing.js, player.js, live.js. Python has drawn what stands (SVG, by class and data attribute);
// the module chooses, steps, plays and zooms, and moves packets on a canvas over it. It fetches nothing.

const SVG = "http://www.w3.org/2000/svg";
const STEP_MS = { "wire.tx": 900, stage: 380 };   // at speed 1, step by step
const OTHER_MS = 260, CLOCK_MS = 8000;            // a whole journey takes CLOCK_MS when the clock sets the pace
const LIVE_MIN_MS = 260, LIVE_MAX = 4000;         // shorter flights would not be seen; more dots would not be told apart
const LIVE_FEW = 60, LIVE_TICK_MS = 30;           // so few flights are shown one after the other; a tick's are spread over a tick
const LINGER_MS = 5000;                           // how long a run that is over may go on being shown

// ---- small things ---------------------------------------------------------------------------------

export function formatTime(ns) {
  const units = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];
  for (const [unit, factor] of units) {
    if (Math.abs(ns) >= factor) {
      const value = ns / factor;
      return (Math.abs(value) < 1000 ? String(+value.toPrecision(3)) : String(Math.floor(value))) + " " + unit;
    }
  }
  return Math.round(ns) + " ns";
}

function rows(columns) {
  const names = Object.keys(columns || {});
  if (!names.length) return [];
  return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function parsed(svg) {
  return document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
}

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// ---- the drawing: the network, a host's inside, and what moves ---------------------------------------

class Canvas {
  // Dots over the network; the svg's own coordinates.
  constructor(svg, width, height) {
    Object.assign(this, { svg, width, height });
    this.element = make("canvas", { "aria-hidden": "true" });
  }
  begin() {
    const box = this.svg.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
    const wide = Math.round(box.width * scale), high = Math.round(box.height * scale);
    if (this.element.width !== wide || this.element.height !== high) {
      this.element.width = wide;
      this.element.height = high;
    }
    this.pen = this.element.getContext("2d");
    this.pen.setTransform(1, 0, 0, 1, 0, 0);
    this.pen.clearRect(0, 0, wide, high);
    this.pen.setTransform(wide / this.width, 0, 0, high / this.height, 0, 0);
    const style = getComputedStyle(this.svg);
    this.colours = { packet: style.getPropertyValue("--nl-now").trim() || "#e69f00",
                     bad: style.getPropertyValue("--nl-bad").trim() || "#c24e00",
                     ink: style.getPropertyValue("--nl-ink").trim() || "#15181c" };
  }
  dot(x, y, radius = 11) {
    const pen = this.pen;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = this.colours.packet;
    pen.fill();
    pen.lineWidth = radius / 4.5;
    pen.strokeStyle = this.colours.ink;
    pen.stroke();
  }
  cross(x, y, size = 9) {
    const pen = this.pen;
    pen.beginPath();
    pen.moveTo(x - size, y - size); pen.lineTo(x + size, y + size);
    pen.moveTo(x - size, y + size); pen.lineTo(x + size, y - size);
    pen.lineWidth = 4.5;
    pen.strokeStyle = this.colours.bad;
    pen.stroke();
  }
}

function along(lane, part) {
  return [lane.x1 + (lane.x2 - lane.x1) * part, lane.y1 + (lane.y2 - lane.y1) * part];
}

class Inside {
  // The metro map of one host with one packet's visits on it.
  constructor(element, drawings) {
    Object.assign(this, { element, drawings, node: null });
    this.following = make("input", { type: "checkbox" });
    this.follow = make("label", {}, this.following, " follow the packet");
  }
  show(node, steps, closed) {
    this.node = node;
    this.element.hidden = !node;
    this.element.replaceChildren();
    if (!node) return;
    const svg = parsed(this.drawings[node]);
    this.visits = steps.filter((step) => step.station && step.node === node);
    this.stations = new Map([...svg.querySelectorAll(".nl-station")].map((g) => [g.dataset.stage, g]));
    this.over = svg.querySelector(".nl-over");
    this.top = svg.querySelector(".nl-top");
    this.ends = steps.filter((step) => step.kind === "drop" && step.node === node && this.stations.has(step.place));
    const close = make("button", { type: "button", class: "nl-close", "aria-label": "Back to the network", onclick: closed }, "✕ back");
    const said = this.visits.length ? `${this.visits.length} ${this.visits.length === 1 ? "stage" : "stages"} of this packet's way`
      : steps.some((step) => step.node === node) ? "no stage of this packet was observed here" : "this packet was never here";
    const hidden = svg.querySelector(".nl-hidden") ? "; dashed: not observable here" : "";
    this.element.append(make("div", { class: "nl-inside-head" }, make("h3", {}, `Inside ${node}`), make("span", {}, said + hidden), this.follow, close), svg);
    this.visits.forEach((visit, i) => this.mark(visit, this.visits[i - 1]));
    this.ends.forEach((end) => this.markEnd(end));
    this.fit(svg);
  }
  fit(svg) {
    // The map takes what the window leaves below the network, but stays legible: no less than three quarters of its size.
    const root = this.element.closest(".netlab"), high = svg.viewBox.baseVal.height;
    if (!root) return;
    const above = svg.getBoundingClientRect().top - root.getBoundingClientRect().top;
    svg.style.maxHeight = `${Math.max(0.75 * high, Math.min(1.35 * high, window.innerHeight - above - 16))}px`;
  }
  enter() {
    // The keyboard's way in: the first stage of this packet's way, else the first there is.
    const first = this.visits.length && this.stations.get(this.visits[0].station) || this.stations.values().next().value;
    if (first) first.focus();
    return Boolean(first);
  }
  at(stage) {
    const shape = this.stations.get(stage).querySelector(".nl-shape");
    const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => +shape.getAttribute(name));
    return { x: x + w / 2, y: y + h / 2, w, h };
  }
  mark(visit, before) {
    const here = this.at(visit.station), again = this.visits.filter((v) => v.station === visit.station);
    if (before) {
      const from = this.at(before.station);
      this.over.append(draw("line", { class: "nl-way", "data-step": visit.n, x1: from.x, y1: from.y, x2: here.x, y2: here.y }));
    }
    if (again[0] !== visit) return;
    const group = draw("g", { "data-step": visit.n });
    const numbers = again.map((v) => v.visit).join(","), half = Math.max(13, 5 + 4.5 * numbers.length);
    // The name begins 8 px from the station's edge: the badge grows outwards, as far as there is paper.
    const x = Math.max(half + 2, here.x - here.w / 2 + 9 - half), y = here.y - here.h / 2 - 5;
    group.append(draw("rect", { class: "nl-badge", x: x - half, y: y - 12, width: 2 * half, height: 25, rx: 12 }),
      draw("text", { class: "nl-number", x, y: y + 6 }, numbers));
    const spent = again.reduce((sum, v) => sum + (v.kind === "stage" ? v.end - v.t : 0), 0);
    if (spent) {
      group.append(draw("text", { class: "nl-spent", x: here.x, y: here.y + 15 }, formatTime(spent)));
      this.stations.get(visit.station).querySelector(".nl-stage").setAttribute("y", here.y - 1);
    }
    this.top.append(group);
  }
  markEnd(end) {
    const { x, y, w, h } = this.at(end.place), group = draw("g", { "data-step": end.n }), cx = x + w / 2 - 6, cy = y - h / 2 + 2;
    group.append(draw("circle", { class: "nl-drop", cx, cy, r: 13 }), draw("path", { class: "nl-cross", d: `M${cx - 6} ${cy - 6}l12 12m0 -12l-12 12` }),
      draw("text", { class: "nl-reason", x, y: y + h / 2 + 18 }, end.note));
    this.top.append(group);
  }
  paint(reached, step) {
    if (!this.node) return;
    for (const mark of this.element.querySelectorAll("[data-step]")) mark.classList.toggle("nl-later", +mark.dataset.step > reached);
    for (const [stage, group] of this.stations) {
      const visits = this.visits.filter((visit) => visit.station === stage);
      group.classList.toggle("nl-visited", visits.some((visit) => visit.n <= reached));
      group.classList.toggle("nl-current", Boolean(step && step.node === this.node && step.station === stage));
    }
  }
}

