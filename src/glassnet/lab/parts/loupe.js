// One image, large; the value of the pixel under the cursor, or under the arrow keys, is told.
export default {
  template: `
    <figure class="loupe">
      <canvas ref="canvas" :width="columns" :height="rows" tabindex="0" role="img" :aria-label="label"
        :aria-description="told" @pointermove="move" @pointerleave="at = null" @keydown="key" @blur="at = null"></canvas>
      <span v-if="at" class="loupe-pixel" :style="{ left: at.x / columns * 100 + '%', top: at.y / rows * 100 + '%',
        width: 100 / columns + '%', height: 100 / rows + '%' }"></span>
      <figcaption aria-live="polite">{{ told || caption }}</figcaption>
    </figure>`,
  props: { pixels: String, rows: Number, columns: Number, label: String, caption: String },
  data() {
    return { at: null };
  },
  computed: {
    bytes() {
      return Uint8Array.from(atob(this.pixels ?? ""), (one) => one.charCodeAt(0));
    },
    channels() {
      return this.bytes.length / (this.rows * this.columns) || 1;
    },
    told() {
      if (!this.at) return "";
      const start = (this.at.y * this.columns + this.at.x) * this.channels;
      return `row ${this.at.y}, column ${this.at.x}: ${[...this.bytes.slice(start, start + this.channels)].join(", ")}`;
    },
  },
  mounted() {
    this.draw();
  },
  watch: {
    pixels() {
      this.$nextTick(() => this.draw());
    },
  },
  methods: {
    draw() {
      const context = this.$refs.canvas.getContext("2d");
      const data = context.createImageData(this.columns, this.rows);
      for (let k = 0; k < this.rows * this.columns; k++) {
        for (let c = 0; c < 3; c++) data.data[4 * k + c] = this.bytes[k * this.channels + (this.channels === 3 ? c : 0)];
        data.data[4 * k + 3] = 255;
      }
      context.putImageData(data, 0, 0);
    },
    move(event) {
      const box = this.$refs.canvas.getBoundingClientRect();
      const x = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
      const y = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
      this.at = x >= 0 && y >= 0 && x < this.columns && y < this.rows ? { x, y } : null;
    },
    key(event) {
      const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const [dx, dy] = steps[event.key];
      const { x, y } = this.at ?? { x: this.columns >> 1, y: this.rows >> 1 };
      this.at = { x: Math.min(this.columns - 1, Math.max(0, x + dx)), y: Math.min(this.rows - 1, Math.max(0, y + dy)) };
    },
  },
};
