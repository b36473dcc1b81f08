// A slider over the moments of a training. It says at once where it stands, whatever the server is still working on.
export default {
  template: `
    <div class="timeline">
      <label :for="id">{{ label }} <b>{{ names[local] }}</b></label>
      <input ref="range" :id="id" type="range" min="0" :max="names.length - 1" step="1" v-model.number="local" :aria-valuetext="names[local]"
        @input="$emit('moved', Number($event.target.value))" />
    </div>`,
  emits: ["moved"],
  props: { label: String, names: Array, value: Number, revision: Number },
  data() {
    return { local: this.value, id: "timeline-" + Math.random().toString(36).slice(2) };
  },
  watch: {
    revision() {
      this.local = this.value;
      this.$nextTick(() => (this.$refs.range.value = this.local)); // before, the old maximum would have cut it off
    },
  },
};
