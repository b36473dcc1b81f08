// A slider whose value is told in words while it moves; it is sent when it is released.
export default {
  template: `
    <div class="control slider">
      <label :for="id">{{ label }}</label>
      <input type="range" :id="id" min="0" :max="texts.length - 1" step="1" v-model.number="local"
        :aria-valuetext="texts[local]" :aria-describedby="id + '-tip'" @change="$emit('change', local)" />
      <output :for="id">{{ texts[local] }}</output>
      <span class="tip" role="tooltip" :id="id + '-tip'">{{ tip }}</span>
    </div>`,
  emits: ["change"],
  props: { label: String, tip: String, texts: Array, value: Number },
  data() {
    return { local: this.value, id: "slider-" + Math.random().toString(36).slice(2) };
  },
  watch: {
    value(value) {
      this.local = value;
    },
    texts() {
      this.local = this.value;
    },
  },
};
