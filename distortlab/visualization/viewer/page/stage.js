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

function outline(region, image) {
  const path = new Path2D();
  const inside = mask(region.mask, image);
  const [x1, x2] = [region.bbox[0], region.bbox[2]].map((x) => clamp(x, 0, image.width));
  const [y1, y2] = [region.bbox[1], region.bbox[3]].map((y) => clamp(y, 0, image.height));
  if (!inside) {
    path.rect(x1, y1, x2 - x1, y2 - y1);
    return path;
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
  return path;
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
  for (const path of outlines) {
    for (const [width, colour] of [[4, "#000b"], [2, "#ffc53d"]]) {
      pen.lineWidth = (width * devicePixelRatio) / view.scale;
      pen.strokeStyle = colour;
      pen.stroke(path);
    }
  }
  pen.restore();
  if (outlines.length > 1) current().regions.forEach(({ bbox }, order) => drawNumber(order + 1, bbox, view));
}

function drawNumber(label, [x, y], view) {
  const size = 11 * devicePixelRatio;
  const [left, top] = [view.x + x * view.scale + size, view.y + y * view.scale + size];
  pen.fillStyle = "#000c";
  pen.beginPath();
  pen.arc(left, top, size * 0.9, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = "#ffc53d";
  pen.font = `600 ${size}px system-ui, sans-serif`;
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
  draw();
}

// One image pixel on one screen pixel, with the first region in the middle.
function pixelForPixel(scale = 1) {
  const image = current();
  if (!image) return;
  const [x1, y1, x2, y2] = image.regions[0]?.bbox ?? [0, 0, image.width, image.height];
  const x = canvas.width / 2 - ((x1 + x2) / 2) * scale;
  const y = canvas.height / 2 - ((y1 + y2) / 2) * scale;
  state.view = kept({ scale, x, y });
  draw();
}

// The divider goes through the first region, where there is something to see.
function aimSplit() {
  const box = current()?.regions[0]?.bbox;
  if (!box || !canvas.width) return;
  const view = state.view ?? fitted();
  state.split = clamp((view.x + ((box[0] + box[2]) / 2) * view.scale) / canvas.width, 0.05, 0.95);
}
