"use strict";

// Everything in `data` came from files that may hold anything: it is put into the page as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

const TASKS = {
  recognition: "Type and severity",
  recognition_reference: "Type and severity, beside the reference",
  object: "Which object",
  grounding: "Where",
};
const SEVERITIES = [1, 2, 3, 4, 5];
const STEPS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
const SHARP = 2; // from this zoom on, pixels are squares
const TOP = 12; // V at the end of the bar

const state = {
  shown: data.images.map((_, index) => index),
  at: 0, // place in `shown`
  mode: "after",
  outline: true,
  answers: true,
  split: 0.5,
  view: null, // {scale, x, y} in screen pixels; null: the whole image fits
};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const current = () => data.images[state.shown[state.at]];
const number = (value, digits = 3) =>
  Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value ?? "unknown");
const visibility = (region) => region.visibility?.v ?? 0;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

function headline(image) {
  return image.regions.map((region) => `${region.type}, ${region.level}`).join("; ") || "Pristine";
}
