// How large an image is on this screen: its pixels on whole pixels of the screen, and how many of them make a degree.

const CARD = { long: 85.6, short: 53.98 }; // mm of a bank card
const WANTED = 60; // pixels of an image to a degree, about what V was made for
const BESIDE = [286, 44]; // CSS pixels that bars and answers take where they stand beside the image
const BELOW = [24, 210]; // and where they stand below it

const ratio = () => devicePixelRatio || 1;
const largest = data.images.reduce(([w, h], image) => [Math.max(w, image.width), Math.max(h, image.height)], [0, 0]);

// Screen pixels that an image may take.
function roomForImage() {
  const [across, down] = matchMedia("(max-height: 520px) and (min-aspect-ratio: 1)").matches ? BESIDE : BELOW;
  return [(innerWidth - across) * ratio(), (innerHeight - down) * ratio()];
}

const fitting = () => Math.min(...roomForImage().map((side, axis) => side / largest[axis]));
const fitsScreen = () => fitting() >= 1;

// Screen pixels to an image pixel: a whole number, 1 where the screen is too small for more.
const chooseScale = (degree) => clamp(Math.round(degree / WANTED), 1, Math.max(Math.floor(fitting()), 1));

// `millimeter`: CSS pixels to a millimeter, null where nobody measured; `distance` in cm.
function measure(millimeter, distance) {
  const assumed = millimeter ?? (matchMedia("(pointer: coarse)").matches ? 6.2 : 96 / 25.4);
  const degree = assumed * ratio() * distance * 10 * 2 * Math.tan(Math.PI / 360);
  const scale = chooseScale(degree);
  return {
    width: screen.width, height: screen.height, window_width: innerWidth, window_height: innerHeight, pixel_ratio: ratio(),
    css_pixels_per_mm: millimeter, measured: millimeter === null ? 0 : 1, distance_cm: distance, scale,
    pixels_per_degree: Number((degree / scale).toFixed(1)), fits: fitsScreen() ? 1 : 0,
  };
}

function describeScale({ scale, pixels_per_degree, measured }) {
  const pixels = scale === 1 ? "One pixel of an image is one pixel of this screen" : `One pixel of an image is ${scale} × ${scale} pixels of this screen`;
  return `${pixels}; about ${Math.round(pixels_per_degree)} of them make a degree of your view${measured ? "" : ", if this screen is a usual one"}.`;
}
