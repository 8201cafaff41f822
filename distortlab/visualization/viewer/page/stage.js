// The picture: outlines, zoom, and the slider between reference and image.

const stage = $("stage");
const canvas = $("canvas");
const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
let layers = { after: null, before: null };
let outlines = [];

// COCO's run lengths, column by column, as lines along the edges of pixels.
function runs(text) {
  const counts = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more && at < text.length) {
      const bits = text.charCodeAt(at++) - 48;
      value |= (bits & 31) << shift;
      shift += 5;
      more = (bits & 32) !== 0;
      if (!more && bits & 16) value |= -1 << shift;
    }
    if (counts.length > 2) value += counts[counts.length - 2];
    counts.push(value);
  }
  return counts;
}

function mask({ size: [rows, columns], counts }, image) {
  if (rows !== image.height || columns !== image.width) return null;
  const pixels = new Uint8Array(rows * columns);
  let at = 0;
  runs(counts).forEach((length, order) => {
    if (order % 2) pixels.fill(1, at, at + Math.max(length, 0));
    at += Math.max(length, 0);
  });
  return (x, y) => (x >= 0 && y >= 0 && x < columns && y < rows ? pixels[x * rows + y] : 0);
}

// Where a number stands: the pixel of the region that is nearest to the corner of its box.
function corner(inside, x1, y1, x2, y2) {
  for (let far = 0; inside && far <= x2 - x1 + y2 - y1; far++)
    for (let x = x1; x <= Math.min(x1 + far, x2); x++) if (y1 + far - (x - x1) <= y2 && inside(x, y1 + far - (x - x1))) return [x, y1 + far - (x - x1)];
  return [x1, y1];
}

function outline(region, image) {
  const path = new Path2D();
  const inside = mask(region.mask, image);
  const [x1, x2] = [region.bbox[0], region.bbox[2]].map((x) => clamp(x, 0, image.width));
  const [y1, y2] = [region.bbox[1], region.bbox[3]].map((y) => clamp(y, 0, image.height));
  const shape = { path, at: corner(inside, x1, y1, x2, y2), color: colorOf(region.distortion) };
  if (!inside) {
    path.rect(x1, y1, x2 - x1, y2 - y1);
    return shape;
  }
  const trace = (outer, from, to, differs, line) => {
    for (let start = from; start < to; start++) {
      if (!differs(outer, start)) continue;
      let end = start + 1;
      while (end < to && differs(outer, end)) end++;
      line(outer, start, end);
      start = end;
    }
  };
  const line = (ax, ay, bx, by) => (path.moveTo(ax, ay), path.lineTo(bx, by));
  for (let x = x1; x <= x2; x++)
    trace(x, y1, y2, (a, b) => inside(a - 1, b) !== inside(a, b), (a, from, to) => line(a, from, a, to));
  for (let y = y1; y <= y2; y++)
    trace(y, x1, x2, (a, b) => inside(b, a - 1) !== inside(b, a), (a, from, to) => line(from, a, to, a));
  return shape;
}

function fitted() {
  const { width, height } = current();
  const scale = Math.min(canvas.width / width, canvas.height / height);
  return { scale, x: Math.round((canvas.width - width * scale) / 2), y: Math.round((canvas.height - height * scale) / 2) };
}

function place(source, view, left, right) {
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, right - left, canvas.height);
  pen.clip();
  pen.setTransform(view.scale, 0, 0, view.scale, view.x, view.y);
  pen.imageSmoothingEnabled = view.scale < SHARP && view.scale !== 1;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0);
  pen.restore();
}

function drawOutlines(view) {
  pen.save();
  pen.setTransform(view.scale, 0, 0, view.scale, view.x, view.y);
  pen.lineCap = "square";
  for (const shape of outlines) {
    for (const [width, color] of [[4, "#000b"], [2, shape.color]]) {
      pen.lineWidth = (width * devicePixelRatio) / view.scale;
      pen.strokeStyle = color;
      if (current().kind === "whole") strokeFrame(view.scale);
      else pen.stroke(shape.path);
    }
  }
  pen.restore();
  if (outlines.length > 1) outlines.forEach((shape, order) => drawNumber(order + 1, shape, view));
}

// The whole frame is outlined on its inside: on its edge, half of the line would be out of sight.
function strokeFrame(scale) {
  const { width, height } = current();
  const inset = (2 * devicePixelRatio) / scale;
  pen.strokeRect(inset, inset, width - 2 * inset, height - 2 * inset);
}

function drawNumber(label, { at: [x, y], color }, view) {
  const size = 11 * devicePixelRatio;
  const inSight = (value, end) => (value > -size && value < end + size ? clamp(value, size, end - size) : value);
  const [left, top] = [inSight(view.x + x * view.scale, canvas.width), inSight(view.y + y * view.scale, canvas.height)];
  pen.beginPath();
  pen.arc(left, top, size * 0.9, 0, 2 * Math.PI);
  pen.fillStyle = color;
  pen.fill();
  pen.lineWidth = 1.5 * devicePixelRatio;
  pen.strokeStyle = pen.fillStyle = "#111";
  pen.stroke();
  pen.font = `700 ${size}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(String(label), left, top);
}

function draw() {
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = getComputedStyle(stage).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const split = state.mode === "split" && layers.before !== null;
  $("divider").hidden = $("side-before").hidden = $("side-after").hidden = !split;
  $("divider").style.left = `${state.split * 100}%`;
  if (!layers.after) return;
  const view = state.view ?? fitted();
  const edge = Math.round(canvas.width * state.split);
  if (split) {
    place(layers.before, view, 0, edge);
    place(layers.after, view, edge, canvas.width);
  } else place((state.mode === "before" && layers.before) || layers.after, view, 0, canvas.width);
  if (state.outline && state.answers) drawOutlines(view);
  stage.classList.toggle("zoomed", state.view !== null);
  $("zoom").textContent = `${Math.round(view.scale * 100)} %`;
}

function zoomTo(scale, x = canvas.width / 2, y = canvas.height / 2) {
  if (!current()) return;
  const old = state.view ?? fitted();
  const wanted = clamp(scale, Math.min(fitted().scale, 1) / 2, STEPS.at(-1));
  const ratio = wanted / old.scale;
  state.view = kept({ scale: wanted, x: x - (x - old.x) * ratio, y: y - (y - old.y) * ratio });
  draw();
}

// Never drag the picture out of sight; whole pixels, so that 100 % is not resampled.
function kept(view) {
  const { width, height } = current();
  const margin = 60;
  return {
    scale: view.scale,
    x: Math.round(clamp(view.x, margin - width * view.scale, canvas.width - margin)),
    y: Math.round(clamp(view.y, margin - height * view.scale, canvas.height - margin)),
  };
}

function zoomBy(direction) {
  if (!current()) return;
  const { scale } = state.view ?? fitted();
  const steps = direction > 0 ? STEPS : [...STEPS].reverse();
  zoomTo(steps.find((step) => (direction > 0 ? step > scale * 1.01 : step < scale / 1.01)) ?? scale);
}

function fit() {
  state.view = null;
  setRegion(null);
  draw();
}

// The box of the region that was zoomed to, else of the first; the frame where a box would give an answer away.
function boxInSight() {
  const { regions, width, height } = current();
  const box = state.answers ? regions[state.region ?? 0]?.bbox : null;
  return box ?? [0, 0, width, height];
}

function center([x1, y1, x2, y2], scale) {
  const x = canvas.width / 2 - ((x1 + x2) / 2) * scale;
  const y = canvas.height / 2 - ((y1 + y2) / 2) * scale;
  state.view = kept({ scale, x, y });
  draw();
}

// One image pixel on one screen pixel, with the region in the middle.
function pixelForPixel() {
  if (current()) center(boxInSight(), 1);
}

// A region fills two thirds of the stage.
function closeUp(order) {
  setRegion(order);
  const [x1, y1, x2, y2] = boxInSight();
  const scale = Math.min(canvas.width / Math.max(x2 - x1, 1), canvas.height / Math.max(y2 - y1, 1)) * (2 / 3);
  center([x1, y1, x2, y2], clamp(scale, fitted().scale, 8 * devicePixelRatio));
}

// One region after the other, then the whole image.
function nextRegion() {
  const image = current();
  if (!image || !state.answers || image.kind === "whole") return;
  const next = state.region === null ? 0 : state.region + 1;
  if (next < image.regions.length) closeUp(next);
  else fit();
}

// The divider goes through a region, where there is something to see.
function aimSplit() {
  if (!current() || !canvas.width) return;
  const box = boxInSight();
  const view = state.view ?? fitted();
  state.split = clamp((view.x + ((box[0] + box[2]) / 2) * view.scale) / canvas.width, 0.05, 0.95);
}
