// Packets while they fly, and the module's doors. (drawing.js and player.js stand before this file.)

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
