import { closeCamera, hasCamera, openCamera, takeSquare } from "glassnet-camera";

// Images of one's own, class by class: dropped, chosen or recorded. Files go to the lab as they are; the lab checks them.
const PICTURE = /\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|ppm|pgm|pnm|heic|heif|avif|jp2|ico|tga)$/i;
const ARCHIVE = /\.(zip|tar|tgz|gz|bz2|xz|npz|parquet)$/i;
const CLUTTER = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i;
const AT_ONCE = 3; // files that are on their way
const FRAME = 224; // side of a recorded picture
const EVERY = 100; // milliseconds between two of them

const counted = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many ?? one + "s"}`;

export default {
  template: `
    <div class="intake" :class="{ dropping: over === 'all' }">
      <div class="row head">
        <label class="intake-title"><span>Name of the set</span>
          <input type="text" :value="typed.title ?? title" maxlength="40"
            @input="typed.title = $event.target.value" @change="name('title', '', $event.target.value)" /></label>
        <div class="buttons">
          <button type="button" @click="$refs.folder.click()" data-tip="A folder with a folder for each class. You can drop it anywhere here, too.">Folder…</button>
          <button type="button" @click="$refs.archive.click()" data-tip="A zip with a folder for each class. You can drop it anywhere here, too.">Zip…</button>
          <input ref="folder" type="file" webkitdirectory multiple hidden @change="takeFolder($event.target)" />
          <input ref="archive" type="file" accept=".zip,.tar,.tgz,.gz,.npz" hidden @change="takeArchive($event.target)" />
        </div>
      </div>
      <p v-if="!camera" class="quiet small">The browser offers its camera to pages of this machine and over https only.</p>
      <p class="said" role="status">{{ said }}</p>
      <div v-if="share !== null" class="bar"><progress max="1" :value="share" aria-label="Images added so far"></progress></div>
      <ul class="cards">
        <li v-for="(card, k) in cards" :key="card.key" class="card" :class="{ dropping: over === card.key }" :data-class="card.key">
          <div class="card-head">
            <input type="text" :aria-label="'Name of class ' + (k + 1)" :value="typed[card.key] ?? card.name" maxlength="40"
              @input="typed[card.key] = $event.target.value" @change="name('rename', card.key, $event.target.value)" />
            <span class="quiet small">{{ counted(card.count, "image") }}</span>
            <button type="button" class="quiet" :aria-label="'Remove the class ' + card.name" title="Remove the class" @click="act('remove-class', card.key)">×</button>
          </div>
          <div class="buttons">
            <button type="button" :aria-label="'Files for ' + card.name" @click="pick('file', card.key)">Files…</button>
            <button type="button" :aria-label="'Folder for ' + card.name" @click="pick('inner', card.key)">Folder…</button>
            <button v-if="camera && filmed !== card.key" type="button" :aria-label="'Camera for ' + card.name" @click="look(card.key)">Camera</button>
          </div>
          <div v-if="filmed === card.key" class="camera">
            <video :ref="showStream" autoplay muted playsinline :aria-label="'What the camera sees, for ' + card.name"></video>
            <div class="buttons">
              <button type="button" class="primary hold" :class="{ recording }" :aria-pressed="recording" :aria-label="'Hold to record into ' + card.name"
                @pointerdown.prevent="press" @pointerup="release" @pointercancel="release" @lostpointercapture="release" @contextmenu.prevent
                @keydown="pressKey" @keyup="releaseKey" @blur="release">{{ recording ? "Recording…" : "Hold to record" }}</button>
              <button type="button" @click="close">Close</button>
            </div>
          </div>
          <div v-if="card.images.length" class="thumbs" role="group" :aria-label="'Images of ' + card.name" @keydown="move">
            <button v-for="(image, n) in card.images" :key="image" type="button" :tabindex="n ? -1 : 0" title="Remove this image"
              :aria-label="'Remove image ' + (card.count - n) + ' of ' + card.name" @click="removeImage(card, n, $event)"
              ><img :src="'/own/' + own.key + '/' + card.key + '/' + image" alt="" loading="lazy" draggable="false" /></button>
          </div>
          <p v-if="card.count > card.images.length" class="quiet small">and {{ counted(card.count - card.images.length, "older one") }}</p>
          <p v-if="!card.count" class="quiet small card-empty">Drop images here</p>
        </li>
        <li class="card add"><button type="button" :disabled="cards.length >= mostClasses" @click="act('add-class')">Add a class</button></li>
      </ul>
      <input ref="file" type="file" accept="image/*,.heic,.heif" multiple hidden @change="takeFiles($event.target)" />
      <input ref="inner" type="file" webkitdirectory multiple hidden @change="takeFiles($event.target)" />
    </div>`,
  emits: ["act"],
  props: { own: Object, url: String, mostBytes: Number, mostArchiveBytes: Number, mostImages: Number, mostClasses: Number, most: Number },
  data() {
    return { cards: [], title: "", typed: {}, said: "", share: null, over: "", filmed: "", recording: false, camera: hasCamera };
  },
  created() {
    this.counted = counted;
    this.queue = [];
    this.running = 0;
    this.asked = 0; // how often the camera was opened or closed
    this.taking = 0; // recorded pictures on their way into the queue
    this.begin();
  },
  mounted() {
    this.onOver = (event) => this.isOpen() && this.hover(event);
    this.onLeave = (event) => !event.relatedTarget && (this.over = "");
    this.onDrop = (event) => this.isOpen() && this.drop(event);
    this.onHide = () => document.hidden && this.release();
    this.seen = new IntersectionObserver(() => this.isOpen() || this.close()); // nobody sees what the camera sees
    this.seen.observe(this.$el);
    document.addEventListener("dragover", this.onOver);
    document.addEventListener("dragleave", this.onLeave);
    document.addEventListener("drop", this.onDrop);
    document.addEventListener("visibilitychange", this.onHide);
  },
  unmounted() {
    this.seen.disconnect();
    this.close();
    document.removeEventListener("dragover", this.onOver);
    document.removeEventListener("dragleave", this.onLeave);
    document.removeEventListener("drop", this.onDrop);
    document.removeEventListener("visibilitychange", this.onHide);
  },
  watch: {
    own: {
      immediate: true,
      handler(own, before) {
        if (before && own.key !== before.key) [this.said, this.share, this.typed] = ["", null, {}];
        this.title = own.title;
        this.cards = own.classes.map((one) => ({ ...one, images: [...one.images] }));
        if (this.filmed && !this.cards.some((one) => one.key === this.filmed)) this.close();
      },
    },
  },
  methods: {
    isOpen() {
      return this.$refs.folder?.parentElement.offsetParent !== null;
    },
    act(verb, label = "", value = "") {
      this.$emit("act", { verb, label, value });
    },
    name(verb, label, value) {
      delete this.typed[label || "title"]; // until here, what is being typed survives news from the lab
      const card = this.cards.find((one) => one.key === label);
      if (card) card.name = value;
      else this.title = value;
      this.act(verb, label, value); // the lab answers with the name that it has taken
    },
    tell(text, share = null) {
      [this.said, this.share] = [text, share];
    },

    // -- what comes in ------------------------------------------------------------------------------------------------
    pick(input, label) {
      this.picking = label;
      this.$refs[input].click();
    },
    takeFiles(input) {
      const files = [...input.files];
      input.value = "";
      this.enqueueFiles(files, this.picking);
    },
    async takeFolder(input) {
      const files = [...input.files].map((file) => ({ file, place: file.webkitRelativePath }));
      input.value = "";
      await this.sort(files);
    },
    async takeArchive(input) {
      const [file] = input.files;
      input.value = "";
      if (file) await this.sendArchive(file);
    },
    hover(event) {
      event.preventDefault();
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.dataTransfer.dropEffect = "copy";
      this.over = event.target.closest?.("[data-class]")?.dataset.class ?? "all";
    },
    async drop(event) {
      event.preventDefault();
      this.over = "";
      const url = this.url; // another set may be shown once this function has waited
      const label = event.target.closest?.("[data-class]")?.dataset.class;
      const given = [...(event.dataTransfer?.files ?? [])];
      // Entries are gone once this function waits for anything.
      const entries = [...(event.dataTransfer?.items ?? [])].map((one) => one.webkitGetAsEntry?.()).filter(Boolean);
      const archive = given.find((file) => ARCHIVE.test(file.name));
      if (archive) return await this.sendArchive(archive);
      const found = [];
      try {
        for (const entry of entries) await this.walk(entry, "", found);
      } catch {
        return this.tell("The folder cannot be read; choose it with the button Folder… instead.");
      }
      const files = found.length ? found : given.map((file) => ({ file, place: file.name }));
      if (!files.length) return;
      if (label) return this.enqueueFiles(files.map((one) => one.file), label, url);
      if (!files.some((one) => one.place.includes("/")))
        return this.tell("Drop pictures on the class that they belong to; a folder or a zip makes classes of its own.");
      await this.sort(files, url);
    },
    async walk(entry, above, found) {
      if (CLUTTER.test(entry.name) || found.length > this.mostImages) return;
      const place = above + entry.name;
      if (entry.isFile) {
        found.push({ file: await new Promise((good, bad) => entry.file(good, bad)), place });
        return;
      }
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((good, bad) => reader.readEntries(good, bad));
        if (!some.length) return;
        for (const one of some) await this.walk(one, place + "/", found);
      }
    },
    async sort(all, url = this.url) {
      // Which class a file of a folder belongs to is told by the lab, as for folders on the command line.
      const files = all.filter(({ place, file }) => !place.split("/").some((part) => CLUTTER.test(part)) && isPicture(file));
      if (!files.length) return this.tell("There are no pictures in this folder.");
      this.tell("Reading the folder…");
      const list = new Blob([JSON.stringify(files.map((one) => one.place))]);
      const answer = await this.post(`${url}/places`, list, "the folder");
      if (answer.problem) return this.tell(answer.problem);
      this.left += files.filter((_, k) => !answer[k]).length;
      this.enqueue(files.flatMap(({ file }, k) => (answer[k] ? [{ file, name: file.name, url, label: answer[k][0], split: answer[k][1] }] : [])));
      this.act("settled"); // shows the new classes
    },
    async sendArchive(file) {
      if (file.size > this.mostArchiveBytes)
        return this.tell(`${file.name} has ${megabytes(file.size)} MB; ${megabytes(this.mostArchiveBytes)} MB are the most here. Open it with glassnet lab --data FILE.`);
      this.tell(`Reading ${file.name}…`);
      const url = this.url;
      const answer = await this.post(`${url}/archive`, file, file.name, (news) => {
        if (url === this.url) this.tell(adding(news, ` from ${file.name}`), news.done / news.total);
      });
      this.act("settled");
      if (answer.problem) return this.tell(answer.problem);
      const left = answer.refused ? ` ${counted(answer.refused, "file")} could not be used.` : "";
      this.tell(`${counted(answer.taken, "image")} from ${file.name} ${answer.taken === 1 ? "was" : "were"} added.${left}`);
    },
    enqueueFiles(files, label, url = this.url) {
      this.enqueue(files.filter((file) => !CLUTTER.test(file.name)).map((file) => ({ file, name: file.name, url, label })));
    },

    // -- on the way ---------------------------------------------------------------------------------------------------
    begin() {
      this.total = this.done = this.left = 0;
      [this.added, this.problems] = [[], []]; // where each was sent, and what was wrong with the others
    },
    enqueue(tasks) {
      this.queue.push(...tasks);
      this.total += tasks.length;
      this.pump();
    },
    pump() {
      while (this.running < AT_ONCE && this.queue.length) {
        this.running += 1;
        this.send(this.queue.shift()).finally(() => {
          this.running -= 1;
          this.done += 1;
          if (this.queue.length || this.running) {
            if (!this.recording) this.tell(adding(this), this.done / this.total);
            this.pump();
          } else this.finish();
        });
      }
    },
    async send({ file, name, url, label, split, camera }) {
      const problem = !file.size
        ? "It is empty (0 bytes); save it again."
        : file.size > this.mostBytes && `It has ${megabytes(file.size)} MB; ${megabytes(this.mostBytes)} MB are the most.`;
      const query = camera ? "?camera=1" : split ? `?split=${encodeURIComponent(split)}` : "";
      const answer = problem ? { problem } : await this.post(`${url}/${label}${query}`, file, name);
      if (answer.problem) return this.problems.push(`${name}: ${answer.problem}`);
      this.added.push(url);
      const card = url === this.url && this.cards.find((one) => one.key === label);
      if (!card || card.images.includes(answer.image)) return;
      card.images.unshift(answer.image);
      card.images.splice(this.most);
      card.count = Math.max(card.count, answer.count);
    },
    finish() {
      if (!this.recording && !this.queue.length && !this.running && !this.taking) this.settle();
    },
    settle() {
      const words = [];
      const here = this.added.filter((url) => url === this.url).length;
      for (const [n, where] of [[here, ""], [this.added.length - here, " to the set that was open before"]])
        if (n) words.push(`${counted(n, "image")} ${n === 1 ? "was" : "were"} added${where}.`);
      const [first, ...others] = this.problems;
      if (first) words.push(`Not taken: ${first}${others.length ? ` And ${counted(others.length, "file")} more.` : ""}`);
      if (this.left) words.push(`${counted(this.left, "file")} outside of the folders of classes ${this.left === 1 ? "was" : "were"} left.`);
      this.tell(words.join(" "));
      this.begin();
      this.act("settled");
    },
    async post(url, body, name, onNews) {
      try {
        const headers = { "x-name": encodeURIComponent(name.slice(0, 100)) };
        const response = await fetch(url, { method: "POST", body, headers });
        if (onNews && response.headers.get("content-type")?.startsWith("application/x-ndjson")) return await this.follow(response, onNews);
        return response.ok ? await response.json() : { problem: (await response.text()).trim() };
      } catch {
        return { problem: "The lab does not answer; is it still running?" };
      }
    },
    async follow(response, onNews) {
      // Lines of JSON: how far it is, and in the end the answer. Each is shown before the next is read.
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { done, value } = await reader.read();
        if (done) return JSON.parse(rest);
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          onNews(JSON.parse(line));
          await this.$nextTick();
        }
      }
    },

    // -- one image ----------------------------------------------------------------------------------------------------
    removeImage(card, n, event) {
      const [image] = card.images.splice(n, 1);
      card.count -= 1;
      const group = event.currentTarget.parentElement;
      this.act("remove", card.key, image);
      this.$nextTick(() => group.children[Math.min(n, group.children.length - 1)]?.focus());
    },
    move(event) {
      const buttons = [...event.currentTarget.children];
      const at = buttons.indexOf(document.activeElement);
      const columns = Math.max(1, Math.floor(event.currentTarget.clientWidth / buttons[0].offsetWidth));
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      if (event.key === "Delete" && at >= 0) buttons[at].click();
      else if (step && buttons[at + step]) buttons[at + step].focus();
      else if (!step) return;
      event.preventDefault();
    },

    // -- the camera ---------------------------------------------------------------------------------------------------
    async look(label) {
      this.close();
      const asked = this.asked;
      const [stream, problem] = await openCamera();
      if (asked !== this.asked) return closeCamera(stream); // another class was asked for, or none any more
      this.tell(problem);
      if (!stream) return;
      [this.stream, this.filmed] = [stream, label];
      await this.$nextTick();
      this.$el.querySelector(`[data-class="${label}"] .hold`)?.focus();
    },
    showStream(video) {
      this.video = video;
      if (video && video.srcObject !== this.stream) video.srcObject = this.stream;
    },
    press(event) {
      event.target.setPointerCapture?.(event.pointerId);
      event.target.focus();
      this.record();
    },
    pressKey(event) {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) this.record();
    },
    releaseKey(event) {
      if (event.key === " " || event.key === "Enter") this.release();
    },
    record() {
      if (this.recording || !this.stream) return;
      this.recording = true;
      this.take();
      this.timer = setInterval(this.take, EVERY);
    },
    take() {
      const canvas = this.queue.length > 10 ? null : takeSquare(this.video, FRAME);
      if (!canvas) return; // a slow lab gets fewer pictures, not a long queue
      const [url, label] = [this.url, this.filmed];
      this.taking += 1;
      const taken = (file) => {
        this.taking -= 1;
        file ? this.enqueue([{ file, name: "a frame", url, label, camera: true }]) : this.finish();
      };
      canvas.toBlob(taken, "image/jpeg", 0.92);
    },
    release() {
      if (!this.recording) return;
      clearInterval(this.timer);
      this.recording = false;
      this.finish();
    },
    close() {
      this.release();
      this.asked += 1;
      closeCamera(this.stream);
      this.stream = null;
      this.filmed = "";
    },
  },
};

function adding({ done, total }, from = "") {
  return `Adding ${done.toLocaleString("en")} of ${counted(total, "image")}${from}…`;
}

function isPicture(file) {
  return file.type.startsWith("image/") || PICTURE.test(file.name);
}

function megabytes(bytes) {
  return (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 0 });
}
