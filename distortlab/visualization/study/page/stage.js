// The images of a trial, pixel for pixel, and the mark of a person who points at something.

const stage = $("stage");
const cache = new Map(); // index of image -> promise of its canvas; the last few
let frames = []; // what is shown: {node, image}
let mark = null; // [x, y] in pixels of the image

function picture(index) {
  const { base, corner, after } = data.images[index];
  const files = [[base, [0, 0]], ...(after === null ? [] : [[after, corner]])];
  const known = cache.get(index) ?? layered(data.images[index], files);
  cache.delete(index);
  cache.set(index, known);
  if (cache.size > 6) cache.delete(cache.keys().next().value);
  return known;
}

const cssScale = () => session.screen.scale / ratio();

function clearStage() {
  stage.replaceChildren();
  stage.dataset.shown = "";
  frames = [];
  mark = null;
}

// Two images side by side where there is room, otherwise one above the other.
function place(indices, canvases) {
  const scale = cssScale();
  const names = canvases.length > 1 ? ["First", "Second"] : [null];
  frames = canvases.map((canvas, at) => {
    const image = data.images[indices[at]];
    canvas.style.width = `${image.width * scale}px`;
    canvas.style.height = `${image.height * scale}px`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", names[at] ?? "The image");
    const frame = make("div", { class: "frame" }, canvas);
    const node = make("figure", {}, names[at] ? make("figcaption", {}, names[at]) : null, frame);
    return { node, frame, canvas, image };
  });
  stage.replaceChildren(...frames.map(({ node }) => node));
  stage.scrollTo(0, 0);
  arrange();
}

function arrange() {
  const wide = frames.reduce((sum, { image }) => sum + image.width * cssScale() + 16, 0);
  stage.classList.toggle("column", frames.length > 1 && wide > stage.clientWidth);
  frames.forEach(({ frame }) => align(frame));
}

// Onto whole pixels of the screen, where nothing has to be resampled.
function align(frame) {
  frame.style.left = frame.style.top = "0";
  const { left, top } = frame.getBoundingClientRect();
  const off = [left, top].map((edge) => (Math.round(edge * ratio()) - edge * ratio()) / ratio());
  [frame.style.left, frame.style.top] = off.map((by) => `${by}px`);
}

function hideImages() {
  frames.forEach(({ frame }) => frame.classList.add("gone"));
}

function outline(boxes) {
  const scale = cssScale();
  frames.forEach(({ frame }, at) => {
    frame.classList.remove("gone");
    if (!boxes[at]) return;
    const [x1, y1, x2, y2] = boxes[at];
    const box = make("div", { class: "box" });
    Object.assign(box.style, { left: `${x1 * scale}px`, top: `${y1 * scale}px`, width: `${(x2 - x1) * scale}px`, height: `${(y2 - y1) * scale}px` });
    frame.append(box);
  });
}

// --- pointing -------------------------------------------------------------------------------------------------------

function putMark(x, y) {
  const [{ frame, image }] = frames;
  mark = [clamp(x, 0, image.width), clamp(y, 0, image.height)];
  const node = frame.querySelector(".mark") ?? frame.appendChild(make("div", { class: "mark" }));
  node.style.left = `${mark[0] * cssScale()}px`;
  node.style.top = `${mark[1] * cssScale()}px`;
  node.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function moveMark(dx, dy, far) {
  if (!frames.length) return;
  const { width, height } = frames[0].image;
  const step = far ? Math.max(width, height) / 8 : Math.max(width, height) / 40;
  const [x, y] = mark ?? [width / 2, height / 2];
  putMark(x + dx * step, y + dy * step);
}

function pointAt(event) {
  if (!frames.length) return;
  const { left, top } = frames[0].canvas.getBoundingClientRect();
  putMark(Math.round((event.clientX - left) / cssScale()), Math.round((event.clientY - top) / cssScale()));
}
