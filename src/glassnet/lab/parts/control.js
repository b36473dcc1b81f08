// One control with its name and its explanation. It keeps what is being typed while the page around it is redrawn.
export default {
  template: `
    <div class="control" :class="'control-' + kind">
      <label v-if="kind !== 'switch'" :for="id">{{ label }}</label>
      <select v-if="kind === 'select'" :id="id" :aria-describedby="id + '-tip'" :disabled="disabled" v-model="local" @change="send">
        <option v-for="[value, text] in options" :key="value" :value="value">{{ text }}</option>
      </select>
      <label v-else-if="kind === 'switch'" class="switch">
        <input type="checkbox" role="switch" :aria-describedby="id + '-tip'" :disabled="disabled" v-model="local" @change="send" />
        <span class="switch-track" aria-hidden="true"></span><span>{{ label }}</span>
      </label>
      <input v-else :id="id" type="number" inputmode="decimal" :min="min" :max="max" :step="step" :placeholder="placeholder"
        :aria-describedby="id + '-tip'" :disabled="disabled" v-model="local" @change="send" />
      <span class="tip" role="tooltip" :id="id + '-tip'">{{ tip }}</span>
    </div>`,
  emits: ["change"],
  props: {
    kind: String,
    label: String,
    tip: String,
    value: [String, Number, Boolean],
    options: Array,
    min: Number,
    max: Number,
    step: [Number, String],
    placeholder: String,
    disabled: Boolean,
    revision: Number,
  },
  data() {
    return { local: this.value, id: "control-" + Math.random().toString(36).slice(2) };
  },
  watch: {
    value(value) {
      this.local = value;
    },
    revision() {
      this.local = this.value; // what was typed was refused
    },
  },
  methods: {
    send() {
      this.$emit("change", this.local);
    },
  },
};
