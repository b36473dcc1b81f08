// Three steps for the first visit; whoever has seen or closed them is not asked again.
const SEEN = "glassnet-lab-tour";

export default {
  template: `
    <section v-if="step !== null" class="tour" role="dialog" aria-label="How the lab works">
      <p class="tour-count">{{ step + 1 }} of {{ steps.length }}</p>
      <h2>{{ steps[step].title }}</h2>
      <p>{{ steps[step].text }}</p>
      <div class="row">
        <button type="button" class="quiet" @click="close">Close</button>
        <button ref="next" type="button" class="primary" @click="next">{{ step + 1 < steps.length ? "Next" : "Start" }}</button>
      </div>
    </section>`,
  props: { steps: Array },
  data() {
    return { step: null };
  },
  mounted() {
    this.escape = (event) => event.key === "Escape" && this.step !== null && this.close();
    document.addEventListener("keydown", this.escape);
    if (!localStorage.getItem(SEEN)) this.start();
  },
  unmounted() {
    document.removeEventListener("keydown", this.escape);
  },
  methods: {
    start() {
      this.go(0);
    },
    next() {
      if (this.step + 1 < this.steps.length) this.go(this.step + 1);
      else this.close();
    },
    go(step) {
      this.step = step;
      this.mark();
      this.$nextTick(() => this.$refs.next?.focus({ preventScroll: true }));
    },
    mark() {
      document.querySelectorAll(".tour-target").forEach((one) => one.classList.remove("tour-target"));
      if (this.step !== null) document.querySelector(this.steps[this.step].target)?.classList.add("tour-target");
    },
    close() {
      this.step = null;
      this.mark();
      localStorage.setItem(SEEN, "yes");
    },
  },
};
