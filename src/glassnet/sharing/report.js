// The page works without this: it keeps the place when a cell is chosen, adds arrow keys and the copy buttons.
document.documentElement.classList.add("js");

const cells = [...document.querySelectorAll(".confusion a")];

function show(link, scroll) {
  for (const other of cells) {
    other.removeAttribute("aria-current");
    other.tabIndex = -1;
  }
  link.setAttribute("aria-current", "true");
  link.tabIndex = 0;
  document.querySelector(".cell.shown")?.classList.remove("shown");
  const cell = document.getElementById(link.hash.slice(1));
  cell.classList.add("shown");
  if (scroll) cell.scrollIntoView({ block: "nearest" });
}

function neighbour(link, rows, columns) {
  const cell = link.parentElement, row = cell.parentElement, body = row.parentElement;
  for (let r = row.rowIndex - 1 + rows, c = cell.cellIndex + columns; ; r += rows, c += columns) {
    const next = body.rows[r]?.cells[c];
    if (!next || c < 1) return null;
    if (next.querySelector("a")) return next.querySelector("a");
  }
}

for (const link of cells) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(link, true);
  });
  link.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const next = step && neighbour(link, ...step);
    if (!next) return;
    event.preventDefault();
    next.focus();
    show(next, false);
  });
}
const first = cells.find((link) => link.hash && link.hash === location.hash) ?? cells.find((link) => "first" in link.dataset);
if (first) show(first, false);

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
