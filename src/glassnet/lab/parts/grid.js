// Many images as one picture; each can be chosen, with the pointer or with the arrow keys.
export default {
  template: `
    <div class="grid" role="group" :aria-label="label" :style="{ '--columns': columns, '--rows': rows }" @keydown="key">
      <img v-if="src" :src="src" alt="" draggable="false" />
      <div class="grid-cells">
        <button v-for="(name, k) in names" :key="k" type="button" :ref="(one) => (cells[k] = one)" :aria-label="name"
          :title="name" :aria-pressed="k === selected" :tabindex="k === focused ? 0 : -1" @click="pick(k)"></button>
      </div>
    </div>`,
  emits: ["pick"],
  props: { src: String, columns: Number, names: Array, label: String, selected: Number },
  data() {
    return { focused: Math.max(0, this.selected ?? 0) };
  },
  created() {
    this.cells = [];
  },
  computed: {
    rows() {
      return Math.max(1, Math.ceil((this.names?.length ?? 0) / this.columns));
    },
  },
  watch: {
    names() {
      if (this.focused >= this.names.length) this.focused = 0;
    },
  },
  methods: {
    pick(k) {
      this.focused = k;
      this.$emit("pick", k);
    },
    key(event) {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const next = this.focused + steps[event.key];
      if (next >= 0 && next < this.names.length) {
        this.focused = next;
        this.cells[next]?.focus();
      }
    },
  },
};
