// From the files in the page to canvases that hold the pixels of an image and of its reference.

const cache = new Map(); // index of image -> promise of its canvases; the last few

async function painted(image) {
  const { base, corner, after, before, why } = image.pictures;
  const files = (top) => [[base, [0, 0]], ...(top === null ? [] : [[top, corner]])];
  return {
    after: await layered(image, files(after)),
    before: why ? null : await layered(image, files(before)),
  };
}

function pictures(index) {
  const known = cache.get(index) ?? painted(data.images[index]);
  cache.delete(index);
  cache.set(index, known);
  if (cache.size > 4) cache.delete(cache.keys().next().value);
  return known;
}

// The SHA-256 of the RGB bytes, row by row: what the row of the data set says about its image.
async function digest(canvas) {
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  const hash = await crypto.subtle.digest("SHA-256", rgb);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function showExactness(image, canvas) {
  const place = $("exact");
  place.className = "";
  place.title = "";
  if (!image.pictures.exact) {
    place.textContent = image.pictures.after === null ? "re-encoded: too large for this page" : "re-encoded outside of the box";
    place.title = "Around the regions the picture is stored without loss; what is farther away was compressed again.";
    return;
  }
  place.textContent = "lossless";
  if (!globalThis.crypto?.subtle) return;
  const same = (await digest(canvas)) === image.pixels_sha256;
  if (image !== current()) return;
  place.className = same ? "good" : "";
  place.textContent = same ? "\u2713 exact pixels" : "not the pixels that were hashed";
  place.title = same
    ? "Checked here: the SHA-256 of these pixels is the one in the data set."
    : "The SHA-256 of these pixels is not the one in the data set: either it was changed, or this browser alters colours.";
}
