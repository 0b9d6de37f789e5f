// One packet: stepped, played, zoomed into. (drawing.js stands before this file.)

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
    this.ports = new Map(rows(layers.ends).map((end) => [end.iface, end]));
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
      this.frame = make("div", { class: "nl-frame", style: `max-width:${axes.width * 1.35}px` }, this.network, this.canvas.element), this.now, this.insideBox,
      make("p", { class: "nl-legend" }, make("span", { class: "nl-key-path" }, "③ this packet's way"), make("span", { class: "nl-key-other" }, "others of the same exchange"),
        make("span", { class: "nl-key-drop" }, "✕ dropped"), make("span", {}, "Tab to a node, Enter shows its inside, Tab goes into it, Esc goes back, ← → step, space plays")),
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
    if (!["SELECT", "BUTTON", "SUMMARY"].includes(tag) && event.target.type !== "checkbox") does[" "] = () => this.toggle();
    if (node) does.Enter = () => this.zoom(node.dataset.node);
    if (node && node.dataset.node === this.zoomed && !event.shiftKey) does.Tab = () => this.inside.enter();
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
    this.root.classList.add("nl-zoomed");
    this.size();
    this.inside.show(node, this.pkt === -1 ? [] : this.way.steps, () => this.back());
  }
  back() {
    const node = this.zoomed;
    this.zoomed = null;
    this.root.classList.remove("nl-zoomed");
    this.size();
    this.inside.show(null);
    this.paint();
    const group = node && this.network.querySelector(`[data-node="${CSS.escape(node)}"]`);
    if (group) group.focus();
  }
  size() {
    // With a host open the network makes room for it.
    const { width, height } = this.picture.axes, share = Math.max(220, 0.3 * window.innerHeight);
    this.frame.style.maxWidth = `${this.zoomed ? Math.max(0.6 * width, Math.min(width, share * width / height)) : 1.35 * width}px`;
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
    const node = this.nodes.get(step.node), port = this.ports.get(step.iface);
    if (port && step.kind !== "stage") this.canvas.dot(port.px, port.py);
    else if (node) this.canvas.dot(node.x, node.y - node.h / 2 - 6);
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

