"use strict";

// Everything in `data` came from files that may hold anything: it is put into the page as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// A file of the page, decoded to its own pixels.
async function bitmap(file) {
  const bytes = Uint8Array.from(atob($(`file-${file}`).textContent), (char) => char.charCodeAt(0));
  return createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

// A canvas of files, each at its corner.
async function layered(image, files) {
  const canvas = make("canvas", { width: image.width, height: image.height });
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  for (const [file, [x, y]] of files) {
    const picture = await bitmap(file);
    pen.drawImage(picture, x, y);
    picture.close();
  }
  return canvas;
}
