// The drawing board: pen, finger, mouse or arrow keys; what is drawn goes to the server while it is being drawn.
const SIZE = 280;
const SENT = 140;
const PATIENCE = 500;

export default {
  template: `
    <div class="board">
      <canvas ref="canvas" width="${SIZE}" height="${SIZE}" tabindex="0" role="application"
        aria-label="Drawing board. Arrow keys move the pen, space lowers or lifts it, Delete clears."
        @pointerdown="down" @pointermove="move" @pointerup="up" @pointercancel="up" @keydown="key" @blur="pen = null"></canvas>
      <p v-if="empty" class="board-hint" aria-hidden="true">{{ hint }}</p>
      <span v-if="pen" class="board-pen" :class="{ lowered: pen.down }"
        :style="{ left: pen.x / ${SIZE / 100} + '%', top: pen.y / ${SIZE / 100} + '%' }"></span>
    </div>`,
  emits: ["drawn", "cleared"],
  props: { hint: String },
  data() {
    return { empty: true, pen: null };
  },
  mounted() {
    this.last = null;
    this.dirty = false;
    this.waiting = 0;
    this.clear();
    this.timer = setInterval(() => this.send(), 25);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  methods: {
    context() {
      return this.$refs.canvas.getContext("2d", { willReadFrequently: true });
    },
    clear() {
      const context = this.context();
      context.fillStyle = "#000";
      context.fillRect(0, 0, SIZE, SIZE);
      this.empty = true;
      this.dirty = false;
    },
    place(event) {
      const box = this.$refs.canvas.getBoundingClientRect();
      return { x: ((event.clientX - box.left) / box.width) * SIZE, y: ((event.clientY - box.top) / box.height) * SIZE };
    },
    line(from, to) {
      const context = this.context();
      context.strokeStyle = "#fff";
      context.lineWidth = 20;
      context.lineCap = context.lineJoin = "round";
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x + 0.01, to.y);
      context.stroke();
      this.empty = false;
      this.dirty = true;
    },
    down(event) {
      event.preventDefault();
      this.$refs.canvas.focus({ preventScroll: true });
      this.$refs.canvas.setPointerCapture(event.pointerId);
      this.pen = null;
      this.last = this.place(event);
      this.line(this.last, this.last);
    },
    move(event) {
      if (!this.last) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) {
        const next = this.place(one);
        this.line(this.last, next);
        this.last = next;
      }
    },
    up() {
      this.last = null;
    },
    key(event) {
      const steps = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
      if (event.key === "Delete" || event.key === "Backspace") {
        this.clear();
        this.$emit("cleared");
      } else if (event.key === " ") {
        this.pen = { ...(this.pen ?? { x: SIZE / 2, y: SIZE / 2 }), down: !this.pen?.down };
        if (this.pen.down) this.line(this.pen, this.pen);
      } else if (event.key in steps) {
        const pen = this.pen ?? { x: SIZE / 2, y: SIZE / 2, down: false };
        const [dx, dy] = steps[event.key];
        const within = (value) => Math.min(SIZE - 10, Math.max(10, value));
        const next = { x: within(pen.x + dx), y: within(pen.y + dy), down: pen.down };
        if (pen.down) this.line(pen, next);
        this.pen = next;
      } else return;
      event.preventDefault();
    },
    send() {
      // One picture at a time is on its way; the newest follows when the answer to the one before is there.
      if (!this.dirty || performance.now() - this.waiting < PATIENCE) return;
      this.dirty = false;
      this.waiting = performance.now();
      const small = (this.small ??= Object.assign(document.createElement("canvas"), { width: SENT, height: SENT }));
      small.getContext("2d").drawImage(this.$refs.canvas, 0, 0, SENT, SENT);
      this.$emit("drawn", small.toDataURL("image/png"));
    },
    answered() {
      this.waiting = 0;
    },
  },
};
