// The interactive picture: one module for the notebook's widget (render) and for a static page (mount).
// Python has drawn what stands (SVG, by class and data attribute); this file chooses, steps, plays and zooms, and moves
// packets on a canvas over it. It fetches nothing.

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
    const x = here.x - here.w / 2 + 6, y = here.y - here.h / 2 + 2;
    group.append(draw("rect", { class: "nl-badge", x: x - half, y: y - 12, width: 2 * half, height: 25, rx: 12 }),
      draw("text", { class: "nl-number", x, y: y + 6 }, numbers));
    const spent = again.reduce((sum, v) => sum + (v.kind === "stage" ? v.end - v.t : 0), 0);
    if (spent) {
      group.append(draw("text", { class: "nl-spent", x: here.x, y: here.y + 16 }, formatTime(spent)));
      this.stations.get(visit.station).querySelector(".nl-stage").setAttribute("y", here.y - 2);
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

// ---- one packet, stepped and played -------------------------------------------------------------------

function tell(step) {
  const when = `${step.at}`, spent = step.end > step.t ? `, ${formatTime(step.end - step.t)}` : "";
  const note = step.note ? ` (${step.note})` : "";
  const words = {
    packet: () => `${step.node}: ${step.place} made this packet${note}`,
    stage: () => `${step.node}: ${step.place}${spent}`,
    "wire.tx": () => `cable ${step.leg}: left ${step.iface}${note}${spent}${step.lost ? ", never arrived" : ""}`,
    "wire.rx": () => `${step.node}: arrived at ${step.iface}${note}`,
    enqueue: () => `${step.node}: joined the queue of ${step.iface}${note}`,
    dequeue: () => `${step.node}: left the queue of ${step.iface}${note}`,
    drop: () => `${step.node}: dropped at ${step.place}${note}`,
    lock: () => `${step.node}: waited for the lock ${step.place}${spent}${note}`,
  };
  return `${when} ${(words[step.kind] || (() => `${step.node}: ${step.kind} ${step.place}${note}`))()}`;
}

class Journey {
  // The steps of one packet; a position p is between 0 and their number, p - floor(p) is how far into a step.
  constructor(steps) {
    this.steps = steps;
    this.start = steps.length ? steps[0].t : 0;
    this.last = steps.length;
  }
  step(p) {
    return this.steps[Math.max(0, Math.min(this.steps.length - 1, Math.ceil(p) - 1))];
  }
  bounds(i) {
    const next = this.steps[i + 1];
    return [this.steps[i].t, Math.max(this.steps[i].t, next ? next.t : this.steps[i].end)];
  }
  time(p) {
    if (!this.steps.length) return 0;
    const i = Math.min(this.last - 1, Math.floor(p)), [from, to] = this.bounds(i);
    return from + (Math.min(p, this.last) - i) * (to - from);
  }
  advance(p, ms, pace) {
    if (pace === "clock") return this.position(this.time(p) + ms / CLOCK_MS * (this.time(this.last) - this.start), p);
    const step = this.steps[Math.min(this.last - 1, Math.floor(p))];
    return p + ms / (STEP_MS[step.kind] || OTHER_MS);
  }
  position(t, least) {
    for (let i = Math.floor(least); i < this.last; i++) {
      const [from, to] = this.bounds(i);
      if (t < to) return Math.max(least, i + (t - from) / (to - from));
    }
    return this.last;
  }
}

class AllPackets {
  // Every packet on one clock. Idle time between flights is cut short, so that there is always something to see.
  constructor(steps) {
    this.ways = [];
    for (const step of steps) (this.ways[step.pkt] = this.ways[step.pkt] || []).push(step);
    this.ways = this.ways.filter(Boolean);
    this.ends = steps.filter((step) => step.kind === "drop");
    const times = [...new Set(steps.flatMap((step) => [step.t, step.end]))].sort((a, b) => a - b);
    const stays = this.ways.flatMap((way) => way.slice(1).map((step, i) => step.t - way[i].t)).sort((a, b) => a - b);
    const gap = Math.max(1, stays[Math.floor(stays.length * 0.95)] || 1);
    this.times = times;
    this.story = [0];
    times.slice(1).forEach((t, i) => this.story.push(this.story[i] + Math.min(gap, t - times[i])));
    this.start = times[0] || 0;
    this.last = Math.max(1, times.length - 1);
    this.whole = this.story[this.story.length - 1] || 1;
  }
  time(p) {
    const i = Math.min(this.times.length - 2, Math.floor(p));
    if (i < 0) return this.start;
    return this.times[i] + (Math.min(p, this.last) - i) * (this.times[i + 1] - this.times[i]);
  }
  advance(p, ms) {
    const i = Math.min(this.times.length - 2, Math.floor(p));
    if (i < 0) return this.last;
    const total = Math.max(CLOCK_MS, this.ways.length * 900);
    return Math.min(i + 1, p + ms / total * this.whole / Math.max(1e-9, this.story[i + 1] - this.story[i]));
  }
  alive(t) {
    // The step that each packet is in at t; between two steps it is still where the first was.
    return this.ways.map((way) => {
      const end = way[way.length - 1].end;
      return t < way[0].t || t > end ? null : way.findLast((step) => step.t <= t);
    }).filter(Boolean);
  }
}

class Player {
  constructor(el, data, standalone) {
    this.picture = data.picture;
    const layers = this.picture.layers;
    Object.assign(this, { el, data, standalone, speed: 1, pace: "step", playing: false, zoomed: null });
    this.lanes = rows(layers.lanes);
    this.nodes = new Map(rows(layers.nodes).map((node) => [node.name, node]));
    this.journeys = rows(layers.journeys);
    this.steps = rows(layers.steps);
    this.words = rows(layers.words);
    this.build();
    this.choose(this.picture.axes.focus || (this.journeys[0] || {}).pkt || 0);
  }
  // -- the page
  build() {
    const { picture, data } = this, axes = picture.axes;
    this.network = parsed(data.svg.network);
    this.canvas = new Canvas(this.network, axes.width, axes.height);
    this.insideBox = make("div", { class: "nl-inside", hidden: true });
    this.inside = new Inside(this.insideBox, data.svg.maps);
    this.now = make("p", { class: "nl-now", "aria-live": "polite" });
    this.story = make("ol", { class: "nl-words" });
    this.table = make("div", { class: "nl-table" });
    this.root = make("section", { class: "netlab", tabindex: "-1", "aria-label": picture.title },
      make("h2", {}, this.heading = make("span")), this.bar(),
      make("div", { class: "nl-frame", style: `max-width:${axes.width * 1.35}px` }, this.network, this.canvas.element), this.now, this.insideBox,
      make("p", { class: "nl-legend" }, make("span", { class: "nl-key-path" }, "③ this packet's way"), make("span", { class: "nl-key-other" }, "others of the same exchange"),
        make("span", { class: "nl-key-drop" }, "✕ dropped"), make("span", {}, "Tab to a node, Enter shows its inside, Esc goes back, ← → step, space plays")),
      this.storyBox = make("details", { open: true }, make("summary", {}, "In words"), this.story),
      this.tableBox = make("details", { ontoggle: () => this.fillTable() }, make("summary", {}, "Every step, as a table"), this.table),
      ...this.talk(),
      make("div", { class: "nl-caption" }, ...picture.caption.map((line) => make("p", {}, line))));
    this.el.replaceChildren(this.root);
    this.listen();
  }
  bar() {
    const button = (label, text, does) => make("button", { type: "button", title: label, "aria-label": label, onclick: does }, text);
    const option = (value, text) => make("option", { value }, text);
    const depth = (journey, n = 0) => {
      const parent = this.journeys.find((other) => other.pkt === journey.parent);
      return parent && n < 9 ? depth(parent, n + 1) : n;
    };
    this.select = make("select", { "aria-label": "Which packet", class: "nl-choose", onchange: () => this.choose(+this.select.value) },
      ...this.journeys.map((j) => option(j.pkt, `${"  ".repeat(depth(j))}${depth(j) ? "↳ " : ""}${j.pkt} · ${j.said}${j.fate.startsWith("ended") ? "" : " ✕ " + j.fate}`)),
      ...(this.journeys.length > 1 ? [option(-1, `all ${this.journeys.length} packets on one clock`)] : []));
    this.slider = make("input", { type: "range", min: 0, step: "any", class: "nl-slider", "aria-label": "Time", oninput: () => { this.pause(); this.go(+this.slider.value); } });
    this.clock = make("output", { class: "nl-clock" });
    this.playButton = button("Play", "▶", () => this.toggle());
    const speed = make("select", { "aria-label": "Speed", onchange: (e) => { this.speed = +e.target.value; } },
      ...[0.25, 0.5, 1, 2, 4].map((s) => option(s, `${s}×`)));
    speed.value = "1";
    this.paceSelect = make("select", { "aria-label": "Pace", title: "What sets the pace", onchange: (e) => { this.pace = e.target.value; } },
      option("step", "step by step"), option("clock", "true to the clock"));
    return make("div", { class: "nl-bar" }, this.select,
      make("span", { class: "nl-buttons" }, button("To the start", "❙◀", () => this.go(0)), button("Step back", "◀", () => this.stepBy(-1)), this.playButton,
        button("Step forward", "▸❙", () => this.stepBy(1))),
      this.slider, this.clock, speed, this.paceSelect);
  }
  talk() {
    const said = rows(this.picture.layers.talk);
    if (!said.length) return [];
    return [make("details", {}, make("summary", {}, "What programs said"),
      make("ul", {}, ...said.map((line) => make("li", {}, `${formatTime(line.t)}: ${line.program} on ${line.node}: ${line.said}`))))];
  }
  listen() {
    const listener = (event) => this.key(event);
    this.root.addEventListener("keydown", listener);
    if (this.standalone) document.addEventListener("keydown", (event) => { if (!this.root.contains(event.target)) this.key(event); });
    for (const group of this.network.querySelectorAll(".nl-node")) group.addEventListener("click", () => this.zoom(group.dataset.node));
    this.resize = new ResizeObserver(() => this.paint());
    this.resize.observe(this.network);
  }
  key(event) {
    event.stopPropagation();   // JupyterLab would take "b" on a focused node as "insert a cell"
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tag = event.target.tagName, node = event.target.closest && event.target.closest("[data-node]");
    const does = { Escape: () => this.back() };
    if (tag !== "SELECT") Object.assign(does, { ArrowRight: () => this.stepBy(1), ArrowLeft: () => this.stepBy(-1), Home: () => this.go(0), End: () => this.go(this.way.last) });
    if (!["SELECT", "BUTTON", "SUMMARY"].includes(tag)) does[" "] = () => (node && !this.standalone ? this.zoom(node.dataset.node) : this.toggle());
    if (node) does.Enter = () => this.zoom(node.dataset.node);
    if (does[event.key]) { event.preventDefault(); does[event.key](); }
  }
  // -- what is looked at
  choose(pkt) {
    this.pause();
    this.pkt = pkt;
    this.select.value = String(pkt);
    const chosen = this.journeys.find((j) => j.pkt === pkt);
    const own = this.steps.filter((step) => step.pkt === pkt);
    this.way = pkt === -1 ? new AllPackets(this.steps) : new Journey(own);
    this.paceSelect.disabled = pkt === -1;
    this.heading.textContent = chosen ? `Packet ${pkt}: ${chosen.said}` : this.journeys.length ? "All packets" : this.picture.title;
    this.network.querySelector(".nl-over").replaceChildren(...this.others(chosen));
    const { paths, ends } = this.data.svg, group = (marks) => parsed(`<g xmlns="${SVG}">${marks || ""}</g>`);
    this.network.querySelector(".nl-over").append(group(paths[pkt]));
    this.network.querySelector(".nl-top").replaceChildren(group(ends[pkt]));
    this.story.replaceChildren(...this.words.filter((w) => w.pkt === pkt).map((w) => make("li", { "data-step": w.step }, w.text)));
    this.storyBox.hidden = this.tableBox.hidden = pkt === -1;
    this.slider.max = this.way.last;
    if (this.zoomed) this.show(this.zoomed);
    this.fillTable();
    this.go(pkt === -1 ? 0 : this.way.last);
  }
  others(chosen) {
    if (!chosen) return [];
    const family = new Set(this.journeys.filter((j) => j.root === chosen.root && j.pkt !== chosen.pkt).map((j) => j.pkt));
    const lanes = new Set(this.steps.filter((step) => family.has(step.pkt) && step.lane >= 0).map((step) => step.lane));
    return [...lanes].map((k) => { const { x1, y1, x2, y2 } = this.lanes[k]; return draw("line", { class: "nl-other", x1, y1, x2, y2 }); });
  }
  zoom(node) {
    if (!this.data.svg.maps[node]) return;
    this.show(node);
    this.paint();
  }
  show(node) {
    this.zoomed = node;
    this.inside.show(node, this.pkt === -1 ? [] : this.way.steps, () => this.back());
  }
  back() {
    const node = this.zoomed;
    this.zoomed = null;
    this.inside.show(null);
    this.paint();
    const group = node && this.network.querySelector(`[data-node="${CSS.escape(node)}"]`);
    if (group) group.focus();
  }
  // -- time
  go(p) {
    this.p = Math.max(0, Math.min(this.way.last, p));
    this.paint();
  }
  stepBy(n) {
    this.pause();
    this.go(n > 0 ? Math.floor(this.p + 1e-6) + 1 : Math.ceil(this.p - 1e-6) - 1);
  }
  toggle() {
    if (this.playing) return this.pause();
    if (this.p >= this.way.last) this.p = 0;
    this.playing = true;
    this.showPlaying();
    let before = performance.now();
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      const next = this.way.advance(this.p, (now - before) * this.speed, this.pace);
      before = now;
      this.go(next);
      if (this.p >= this.way.last) return this.pause();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }
  pause() {
    this.playing = false;
    this.showPlaying();
  }
  showPlaying() {
    this.playButton.textContent = this.playing ? "❚❚" : "▶";
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }
  // -- paint
  paint() {
    const t = this.way.time(this.p);
    this.slider.value = this.p;
    this.clock.textContent = `+${formatTime(t - this.way.start)}`;
    this.clock.title = `${formatTime(t)} since the run's start`;
    this.canvas.begin();
    if (this.pkt === -1) this.paintAll(t);
    else this.paintOne();
  }
  paintAll(t) {
    const alive = this.way.alive(t), flying = alive.filter((step) => step.lane >= 0 && t < step.end), dropped = this.way.ends.filter((end) => end.t <= t);
    for (const leg of flying) this.canvas.dot(...along(this.lanes[leg.lane], calm() ? 0.5 : (t - leg.t) / Math.max(1, leg.end - leg.t)), 9);
    const held = {};
    for (const { node: name } of alive.filter((step) => !flying.includes(step))) {
      const node = this.nodes.get(name), nth = held[name] = (held[name] || 0) + 1;
      this.canvas.dot(node.x + (nth - 1) % 4 * 15 * (nth % 2 ? 1 : -1), node.y - node.h / 2 - 5, 9);
    }
    for (const end of dropped) { const node = this.nodes.get(end.node); this.canvas.cross(node.x + node.w / 2 - 6, node.y - node.h / 2 + 4); }
    this.say(`${formatTime(t)}: ${flying.length} packets on cables, ${alive.length - flying.length} inside nodes${dropped.length ? `, ${dropped.length} dropped so far` : ""}`);
  }
  paintOne() {
    const reached = Math.ceil(this.p) - 1, step = this.p > 0 ? this.way.step(this.p) : null, whole = this.p >= this.way.last;
    for (const mark of this.network.querySelectorAll("[data-step]")) mark.classList.toggle("nl-later", +mark.dataset.step > reached);
    for (const line of this.story.children) line.classList.toggle("nl-later", +line.dataset.step > reached);
    const current = [...this.story.children].filter((line) => +line.dataset.step <= reached).pop();
    for (const line of this.story.children) line.classList.toggle("nl-current", !whole && line === current);
    if (step && !whole) this.packet(step, this.p - reached);
    if (this.zoomed && !whole && step && this.inside.following.checked && step.node !== this.zoomed) this.show(step.node);
    this.inside.paint(reached, whole ? null : step);
    if (this.onpick) this.onpick((whole ? this.way.step(this.way.last) : step || {}).record);
    const end = this.journeys.find((j) => j.pkt === this.pkt);
    this.say(whole ? (end ? `${this.way.last} steps in ${formatTime(end.end - end.t)}: ${end.fate}` : "") : step ? tell(step) : "before the first step");
  }
  packet(step, part) {
    if (step.lane >= 0) return this.canvas.dot(...along(this.lanes[step.lane], calm() ? 1 : step.lost ? part / 2 : part));
    const node = this.nodes.get(step.node);
    if (node) this.canvas.dot(node.x, node.y - node.h / 2 - 6);
  }
  say(text) {
    if (this.now.textContent !== text) this.now.textContent = text;
    this.now.setAttribute("aria-live", this.playing ? "off" : "polite");
  }
  fillTable() {
    if (!this.tableBox || !this.tableBox.open) return;
    const head = ["step", "time", "node", "what", "where", "took", "note", "record"];
    const body = (this.way.steps || []).map((s, i) => [i + 1, s.at, s.node, s.kind, s.place,
      s.end > s.t ? formatTime(s.end - s.t) : "", s.note + (s.lost ? " never arrived" : ""), s.record]);
    const line = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, tag === "th" ? { scope: "col" } : {}, String(cell))));
    this.table.replaceChildren(make("table", {}, make("thead", {}, line(head, "th")), make("tbody", {}, ...body.map((cells) => line(cells, "td")))));
  }
  close() {
    this.pause();
    this.resize.disconnect();
  }
}

// ---- live: packets while they fly ------------------------------------------------------------------------

class Live {
  constructor(el, data, answer) {
    const { picture } = data;
    Object.assign(this, { answer, flights: [], crosses: [], busy: new Map(), seen: 0, dropped: 0 });
    this.lanes = rows(picture.layers.lanes);
    this.nodes = rows(picture.layers.nodes);
    this.network = parsed(data.svg.network);
    this.canvas = new Canvas(this.network, picture.axes.width, picture.axes.height);
    this.now = make("p", { class: "nl-now" });
    this.said = make("p", { class: "nl-quiet", "aria-live": "polite" });
    this.root = make("section", { class: "netlab", tabindex: "-1", "aria-label": picture.title },
      make("h2", {}, make("span", { class: "nl-live" }, "● live"), ` ${picture.title}`),
      make("div", { class: "nl-frame", style: `max-width:${picture.axes.width * 1.35}px` }, this.network, this.canvas.element), this.now, this.said);
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    el.replaceChildren(this.root);
    this.running = true;
    this.spoken = 0;
    requestAnimationFrame((now) => this.tick(now));
  }
  take(message, buffers) {
    // Events, not frames: (exchange, lane, duration in ms) for a flight, (exchange, -1 - node, 0) for a drop.
    const now = performance.now(), view = buffers[0];
    const events = new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    const few = this.flights.length + events.length / 3 < LIVE_FEW;
    for (let i = 0; i < events.length; i += 3) {
      // Few packets are followed with the eye: the cables of one exchange are flown one after the other.
      const at = few ? Math.max(now, this.busy.get(events[i]) || 0) : now + LIVE_TICK_MS * i / events.length;
      const ms = Math.max(LIVE_MIN_MS, Math.min(2000, events[i + 2]));
      if (events[i + 1] < 0) this.crosses.push({ node: -1 - events[i + 1], from: at, until: at + 1500 });
      else if (this.flights.length < LIVE_MAX) {
        this.flights.push({ lane: events[i + 1], from: at, ms });
        this.busy.set(events[i], at + ms);
      }
    }
    for (const [exchange, until] of this.busy) if (until < now) this.busy.delete(exchange);
    this.seen = message.seen;
    this.dropped = message.dropped;
    this.pending = message;
  }
  tick(now) {
    if (!this.running) return;
    this.canvas.begin();
    this.flights = this.flights.filter((flight) => now < flight.from + flight.ms);
    this.crosses = this.crosses.filter((cross) => now < cross.until);
    const flying = this.flights.filter((flight) => flight.from <= now);
    for (const flight of flying) {
      this.canvas.dot(...along(this.lanes[flight.lane], calm() ? 0.5 : (now - flight.from) / flight.ms), flying.length > LIVE_FEW ? 6 : 11);
    }
    for (const { node, from } of this.crosses) { if (from > now) continue; const n = this.nodes[node]; this.canvas.cross(n.x + n.w / 2 - 6, n.y - n.h / 2 + 4); }
    const text = `${this.seen} packets seen, ${flying.length} on cables, ${this.dropped} dropped`;
    this.now.textContent = text;
    if (now - this.spoken > 3000) { this.said.textContent = text; this.spoken = now; }
    if (this.pending) {
      this.answer({ type: "painted", seq: this.pending.seq, stamp: this.pending.stamp, at: performance.timeOrigin + performance.now() });
      this.pending = null;
    }
    if (this.after && (now > this.deadline || !(this.flights.length || this.crosses.length))) return this.after();
    requestAnimationFrame((next) => this.tick(next));
  }
  drain(then) {
    // The run is over; what is still on the screen flies to its end first.
    this.after = then;
    this.deadline = performance.now() + LINGER_MS;
  }
  close() {
    this.running = false;
  }
}

// ---- doors -----------------------------------------------------------------------------------------------

export function mount(el, data, { standalone = true } = {}) {
  const player = new Player(el, data, standalone);
  if (data.autoplay && !calm()) player.toggle();
  el.netlab = player;   // for tests and for the curious
  return player;
}

function render({ model, el }) {
  let shown = null;
  const show = () => {
    if (shown instanceof Live && !model.get("running") && !shown.after) return shown.drain(show);
    if (shown) shown.close();
    const data = model.get("data");
    if (!data || !data.svg) return;
    shown = model.get("running") ? new Live(el, data, (message) => model.send(message)) : mount(el, data, { standalone: false });
    shown.onpick = (record = -1) => {
      if (record === model.get("picked")) return;
      model.set("picked", record);
      model.save_changes();
    };
  };
  const take = (message, buffers) => { if (shown && shown.take && message.type === "events") shown.take(message, buffers); };
  model.on("change:data", show);
  model.on("msg:custom", take);
  show();
  return () => {
    model.off("change:data", show);
    model.off("msg:custom", take);
    if (shown) shown.close();
  };
}

export default { render };
