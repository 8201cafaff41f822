// Going from image to image: thumbnails, buttons, and what is drawn when.

function caption(image) {
  const { regions } = image;
  if (!regions.length) return ["Pristine"];
  const text = regions.length > 1 ? plural(regions.length, "region") : `${regions[0].severity} ${regions[0].type}`;
  return data.has_sets ? [...regions.map((region) => badge(region.distortion)), text] : [text];
}

function thumb(index, order) {
  const image = data.images[index];
  const label = state.answers ? headline(image) : "";
  const button = make("button", { type: "button", "aria-label": `${order + 1}: ${label || image.image_id}`, title: label });
  button.append(make("img", { src: image.pictures.thumb, alt: "", loading: "lazy" }), make("span", {}, ...(state.answers ? caption(image) : [`${order + 1}`])));
  button.addEventListener("click", () => go(order));
  return button;
}

function showStrip() {
  $("strip").replaceChildren(...state.shown.map(thumb));
}

function showButtons() {
  const before = layers.before !== null;
  for (const button of $("modes").children) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === (before ? state.mode : "after")));
    button.disabled = !before && button.dataset.mode !== "after";
    button.title = button.disabled ? current()?.pictures.why ?? "" : "";
  }
  $("split").disabled = !before;
  $("split").value = Math.round(state.split * 100);
  $("outline").setAttribute("aria-pressed", String(state.outline));
  $("outline").disabled = !state.answers;
  $("closer").disabled = !state.answers || !current()?.regions.length || current().kind === "whole";
  $("answers").setAttribute("aria-pressed", String(state.answers));
}

function describe(image) {
  const kind = state.mode === "before" ? "The reference" : state.mode === "split" ? "Reference and distorted image" : "The distorted image";
  const what = state.answers ? `${headline(image)}. ` : "";
  canvas.setAttribute("aria-label", `${kind} ${image.image_id}. ${what}`);
  $("what").textContent = `Image ${state.at + 1} of ${state.shown.length}. Arrow keys: previous and next image; space: reference.`;
}

// What the colors and the numbers of the outlines stand for; a click is a close-up.
function showLegend() {
  const image = current();
  const legend = $("legend");
  legend.hidden = !data.has_sets || !state.answers || !image;
  if (legend.hidden) return;
  const chips = image.regions.map((region, order) => {
    const text = image.kind === "whole" ? " Whole frame: " : " ";
    const pressed = String(state.region === order);
    const chip = make("button", { type: "button", "aria-pressed": pressed }, badge(region.distortion, numberOf(image, order)), text + labelOf(region));
    chip.addEventListener("click", () => (state.region === order || image.kind === "whole" ? fit() : closeUp(order)));
    return chip;
  });
  legend.replaceChildren(...(chips.length ? chips : [make("span", {}, "Pristine: nothing was done to this image.")]));
}

function setRegion(order) {
  state.region = order;
  [...$("legend").querySelectorAll("button")].forEach((chip, at) => chip.setAttribute("aria-pressed", String(at === order)));
}

async function show() {
  const image = current();
  $("empty").hidden = Boolean(image);
  showLegend();
  $("exact").textContent = "";
  showPanel();
  if (!image) {
    layers = { after: null, before: null };
    canvas.setAttribute("aria-label", "No image");
    showButtons();
    return draw();
  }
  [...$("strip").children].forEach((button, order) => {
    button.setAttribute("aria-current", String(order === state.at));
    if (order === state.at) $("strip").scrollTo({ left: button.offsetLeft - $("strip").offsetLeft - $("strip").clientWidth / 2 + button.clientWidth / 2 });
  });
  history.replaceState(null, "", `#${encodeURIComponent(image.image_id)}`);
  describe(image);
  const found = await pictures(state.shown[state.at]);
  if (image !== current()) return;
  layers = found;
  outlines = image.regions.map((region) => outline(region, image));
  if (state.mode === "split") aimSplit();
  showButtons();
  draw();
  stage.dataset.shown = image.image_id;
  await showExactness(image, layers.after);
  if (state.at + 1 < state.shown.length) pictures(state.shown[state.at + 1]);
}

function go(order) {
  const next = clamp(order, 0, Math.max(state.shown.length - 1, 0));
  if (next === state.at) return;
  state.at = next;
  state.view = state.region = null;
  show();
}

function setMode(mode) {
  // Nothing to show, or no reference to show it beside; while one is being decoded, the wish stands.
  if (!current() || (layers.after && !layers.before)) return;
  if (mode === "split" && state.mode !== "split") aimSplit();
  state.mode = mode;
  showButtons();
  draw();
  describe(current());
}

function toggle(name) {
  state[name] = !state[name];
  if (name === "answers") {
    state.region = null;
    showStrip();
  }
  show();
}
