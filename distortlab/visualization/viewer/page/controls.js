// Keys, pointers, and the beginning.

const KEYS = [
  [["ArrowLeft"], "\u2190", "previous image", () => go(state.at - 1)],
  [["ArrowRight"], "\u2192", "next image", () => go(state.at + 1)],
  [["Home"], "Home", "first image", () => go(0)],
  [["End"], "End", "last image", () => go(state.shown.length - 1)],
  [[" "], "space", "reference and back", () => setMode(state.mode === "before" ? "after" : "before")],
  [["c", "C"], "c", "compare, with a slider", () => setMode(state.mode === "split" ? "after" : "split")],
  [["o", "O"], "o", "outlines of the regions", () => toggle("outline")],
  [["a", "A"], "a", "answers: hide labels and solutions, or show them", () => toggle("answers")],
  [["+", "="], "+", "zoom in", () => zoomBy(1)],
  [["-", "_"], "-", "zoom out", () => zoomBy(-1)],
  [["0"], "0", "the whole image", fit],
  [["1"], "1", "pixel for pixel", () => pixelForPixel()],
  [["r", "R"], "r", "close-up of a region, of the next one, and back", nextRegion],
  [["f", "F"], "f", "filters", () => (($("filtering").open = true), $("family").focus())],
  [["?"], "?", "this list", () => $("help").showModal()],
];

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const { target } = event;
  if (target.closest("input, select, textarea") && event.key !== "Escape") return;
  if (event.key === "Escape") return stage.focus();
  if (event.key === " " && target.closest("button, summary")) return;
  const entry = KEYS.find(([keys]) => keys.includes(event.key));
  if (!entry) return;
  event.preventDefault();
  entry[3]();
}

const pointers = new Map();
let pinch = null;
let swipe = null; // where a finger came down on the whole image

const spot = (event) => {
  const box = stage.getBoundingClientRect();
  return { x: (event.clientX - box.left) * (canvas.width / box.width), y: (event.clientY - box.top) * (canvas.height / box.height) };
};
const middle = (points) => ({ x: (points[0].x + points[1].x) / 2, y: (points[0].y + points[1].y) / 2 });
const apart = (points) => Math.hypot(points[0].x - points[1].x, points[0].y - points[1].y);

function pointerDown(event) {
  if (event.target === $("divider")) return;
  pointers.set(event.pointerId, spot(event));
  swipe = event.pointerType === "touch" && !state.view && pointers.size === 1 ? event.clientX : null;
  if (pointers.size === 2) pinch = { apart: apart([...pointers.values()]), scale: (state.view ?? fitted()).scale };
  if (state.view || pointers.size === 2) {
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("dragging");
  }
}

function pointerMove(event) {
  const old = pointers.get(event.pointerId);
  if (!old || !current()) return;
  const now = spot(event);
  pointers.set(event.pointerId, now);
  if (pinch && pointers.size === 2) {
    const points = [...pointers.values()];
    const at = middle(points);
    zoomTo((pinch.scale * apart(points)) / pinch.apart, at.x, at.y);
  } else if (state.view) {
    state.view = kept({ ...state.view, x: state.view.x + now.x - old.x, y: state.view.y + now.y - old.y });
    draw();
  }
}

function pointerUp(event) {
  const moved = swipe === null || event.type === "pointercancel" ? 0 : event.clientX - swipe;
  swipe = null;
  if (Math.abs(moved) > 60) go(state.at - Math.sign(moved));
  pointers.delete(event.pointerId);
  if (pointers.size < 2) pinch = null;
  if (!pointers.size) stage.classList.remove("dragging");
}

function setSplit(share) {
  if (state.mode !== "split") setMode("split");
  state.split = clamp(share, 0, 1);
  $("split").value = Math.round(state.split * 100);
  draw();
}

function listen() {
  document.addEventListener("keydown", onKey);
  // A button that was clicked does not keep the focus: the space bar belongs to the picture.
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.closest("#tools button, #legend button, #strip button, .steps button, #severities button")) stage.focus({ preventScroll: true });
  });
  for (const button of $("modes").children) button.addEventListener("click", () => setMode(button.dataset.mode));
  $("split").addEventListener("input", () => setSplit($("split").value / 100));
  $("outline").addEventListener("click", () => toggle("outline"));
  $("answers").addEventListener("click", () => toggle("answers"));
  $("in").addEventListener("click", () => zoomBy(1));
  $("out").addEventListener("click", () => zoomBy(-1));
  $("zoom").addEventListener("click", () => (state.view?.scale === 1 ? fit() : pixelForPixel()));
  $("closer").addEventListener("click", nextRegion);
  $("ask").addEventListener("click", () => $("help").showModal());
  stage.addEventListener("pointerdown", pointerDown);
  stage.addEventListener("pointermove", pointerMove);
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, pointerUp);
  stage.addEventListener("dblclick", (event) => {
    const at = spot(event);
    if (state.view) fit();
    else zoomTo(Math.max(4, 2 * fitted().scale), at.x, at.y);
  });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = spot(event);
    if (current()) zoomTo((state.view ?? fitted()).scale * Math.exp(-clamp(event.deltaY, -240, 240) / 300), at.x, at.y);
  }, { passive: false });
  const slide = (event) => setSplit(spot(event).x / canvas.width);
  $("divider").addEventListener("pointerdown", (event) => {
    $("divider").setPointerCapture(event.pointerId);
    $("divider").addEventListener("pointermove", slide);
  });
  for (const name of ["pointerup", "pointercancel"])
    $("divider").addEventListener(name, () => $("divider").removeEventListener("pointermove", slide));
  new ResizeObserver(() => {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(stage.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(stage.clientHeight * ratio));
    if (state.view && current()) state.view = kept(state.view);
    draw();
  }).observe(stage);
}

function showNotes() {
  const lossy = data.images.filter((image) => !image.pictures.exact).length;
  const from = data.matching === data.total ? "" : `, ${data.matching.toLocaleString("en")} of them ${data.filter}`;
  const notes = [
    `${plural(data.images.length, "image")} of ${data.total.toLocaleString("en")}${from}; references drawn at random (seed ${data.seed}).`,
    data.left_out ? `${plural(data.left_out, "more image")} had no room.` : null,
    lossy
      ? `${plural(lossy, "image")} too large for the page: compressed again where it is more than a few pixels from the regions.`
      : "Pictures are lossless, thumbnails are not.",
    "V: about 1 where a change is just visible; a model, not a study with people.",
    data.made_by,
  ];
  $("footer").append(...notes.filter(Boolean).map((note) => make("p", {}, note)));
}

function start() {
  $("name").textContent = data.name;
  for (const [, key, meaning] of KEYS) $("keys").append(make("dt", {}, make("kbd", {}, key)), make("dd", {}, meaning));
  fillFilters();
  showNotes();
  listen();
  const wide = matchMedia("(min-width: 700px)");
  wide.addEventListener("change", () => ($("filtering").open = wide.matches));
  $("filtering").open = wide.matches;
  const asked = data.images.findIndex((image) => `#${encodeURIComponent(image.image_id)}` === location.hash);
  state.at = Math.max(0, asked);
  applyFilters();
  stage.focus({ preventScroll: true });
}

start();
