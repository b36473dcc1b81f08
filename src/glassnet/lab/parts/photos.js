import { closeCamera, hasCamera, openCamera, takeSquare } from "glassnet-camera";

const SIDE = 400; // of a picture from the camera

// Photos come in by the file dialog, by dropping, by pasting or from the camera, and are sent as they are.
export default {
  template: `
    <div class="photos">
      <button ref="choose" type="button" @click="$refs.file.click()" :data-tip="tip" :aria-description="tip">Photo…</button>
      <input ref="file" type="file" accept="image/*,.heic,.heif" multiple hidden @change="send($event.target.files); $event.target.value = ''" />
      <button v-if="camera && !stream" type="button" @click="look" data-tip="Hold something before the camera.">Camera</button>
      <template v-if="stream">
        <video ref="video" autoplay muted playsinline aria-label="What the camera sees"></video>
        <button type="button" @click="take">Take it</button>
        <button type="button" @click="close">Close</button>
      </template>
      <p v-if="said" class="said" role="status">{{ said }}</p>
    </div>`,
  props: { url: String, most: Number, mostBytes: Number, tip: String },
  data() {
    return { said: "", stream: null, camera: hasCamera };
  },
  mounted() {
    this.asked = 0; // how often the camera was opened or closed
    this.seen = new IntersectionObserver(() => this.open() || this.close()); // nobody sees what the camera sees
    this.seen.observe(this.$refs.choose);
    this.paste = (event) => this.open() && this.send(event.clipboardData?.files);
    this.over = (event) => this.open() && event.preventDefault();
    this.drop = (event) => {
      if (!this.open()) return;
      event.preventDefault();
      this.send(event.dataTransfer?.files);
    };
    document.addEventListener("paste", this.paste);
    document.addEventListener("dragover", this.over);
    document.addEventListener("drop", this.drop);
  },
  unmounted() {
    this.seen.disconnect();
    this.close();
    document.removeEventListener("paste", this.paste);
    document.removeEventListener("dragover", this.over);
    document.removeEventListener("drop", this.drop);
  },
  methods: {
    open() {
      return this.$refs.choose.offsetParent !== null; // the element around it has no box of its own
    },
    async send(files) {
      if (!files?.length) return;
      const taken = [...files].slice(0, this.most);
      const many = files.length.toLocaleString("en");
      const first = files.length > this.most ? `The first ${this.most} of ${many} files are read.` : "";
      this.said = first;
      for (const file of taken) {
        const problem = await this.post(file);
        if (problem) this.said = `${first} ${problem}`.trim();
      }
    },
    async post(file) {
      if (!file.size) return "The picture is empty (0 bytes); save it again.";
      if (file.size > this.mostBytes)
        return `A picture of ${(file.size / 1e6).toFixed(0)} MB is too large; ${this.mostBytes / 1e6} MB is the most.`;
      try {
        const response = await fetch(this.url, { method: "POST", body: file });
        return response.ok ? "" : await response.text();
      } catch {
        return "The lab does not answer; is it still running?";
      }
    },
    async look() {
      this.close();
      const asked = this.asked;
      const [stream, problem] = await openCamera();
      if (asked !== this.asked) return closeCamera(stream); // it was asked for again, or is not wanted any more
      this.said = problem;
      if (!stream) return;
      this.stream = stream;
      await this.$nextTick();
      this.$refs.video.srcObject = stream;
    },
    take() {
      takeSquare(this.$refs.video, SIDE)?.toBlob((blob) => this.send([blob]), "image/png");
    },
    close() {
      this.asked += 1;
      closeCamera(this.stream);
      this.stream = null;
    },
  },
};
