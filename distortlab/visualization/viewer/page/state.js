// What the page shows, and the words for it.

const TASKS = {
  recognition: "Type and severity",
  recognition_reference: "Type and severity, beside the reference",
  object: "Which object",
  grounding: "Where",
  diagnosis: "All that was done",
  comparison: "Which of two images",
  comparison_regions: "Which of two regions",
};
const SEVERITIES = [1, 2, 3, 4, 5];
const STEPS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
const SHARP = 2; // from this zoom on, pixels are squares
const TOP = 12; // V at the end of the bar
const MARK = "#ffc53d"; // of outlines, where no image has several

const state = {
  shown: data.images.map((_, index) => index),
  at: 0, // place in `shown`
  mode: "after",
  outline: true,
  answers: true,
  split: 0.5,
  region: null, // the one that was zoomed to
  view: null, // {scale, x, y} in screen pixels; null: the whole image fits
};

const current = () => data.images[state.shown[state.at]];
const number = (value, digits = 3) =>
  Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value ?? "unknown");
const visibility = (region) => region.visibility?.v ?? 0;

// One color for each family, on pages with images of several regions.
const colorOf = (family) => (data.has_sets && Object.hasOwn(data.colors, family) ? data.colors[family] : MARK);

function badge(family, text = "") {
  const node = make("b", { class: "badge", "aria-hidden": text ? false : "true" }, text);
  node.style.backgroundColor = colorOf(family);
  return node;
}

const labelOf = (region) => `${region.type}, ${region.level}`;
const numberOf = (image, order) => (image.regions.length > 1 ? String(order + 1) : "");

function headline(image) {
  const where = image.kind === "whole" ? ", whole frame" : "";
  return image.regions.map((region) => labelOf(region) + where).join("; ") || "Pristine";
}
