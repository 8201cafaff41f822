// What stands beside the picture: questions, regions, origin.

function fact(list, name, value, kind) {
  if (value == null || value === "") return;
  list.append(make("dt", {}, name), make("dd", { class: kind }, value));
}

function levels(severity, level) {
  const dots = make("span", { class: "levels", "aria-hidden": "true" });
  for (const step of SEVERITIES) dots.append(make("i", { class: step <= severity ? "on" : "" }));
  return level === undefined ? dots : make("span", {}, dots, `${severity}, ${level}`);
}

function visible(seen) {
  const bar = make("span", { class: "scale", "aria-hidden": "true" }, make("b"), make("u"));
  bar.children[0].style.width = `${(clamp(seen?.v ?? 0, 0, TOP) / TOP) * 100}%`;
  bar.children[1].style.left = `${(1 / TOP) * 100}%`;
  const parts = ["structure", "colour", "trend"].map((name) => `${name} ${number(seen?.[name])}`);
  return make("span", {}, `V ${number(seen?.v)}`, bar, make("span", { class: "under" }, parts.join(" \u00b7 ")));
}

function summary(image) {
  const lines = image.regions.map((region, order) => {
    const what = [region.object, `${region.distortion}.${region.variant}`, `V\u00a0${number(visibility(region))}`];
    const sign = data.has_sets ? badge(region.distortion, numberOf(image, order)) : null;
    return make("p", { class: "lead" }, sign, levels(region.severity), what.filter(Boolean).join(" \u00b7 "));
  });
  return lines.length ? lines : [make("p", { class: "lead" }, image.control ?? "Nothing was done to this image.")];
}

function regionCard(region, order, all) {
  const { params } = region;
  const list = make("dl", { class: "facts" });
  fact(list, "object", region.object);
  fact(list, "variant", `${region.distortion}.${region.variant}` + (params.version ? `, version ${params.version}` : ""));
  fact(list, "severity", levels(region.severity, region.level));
  fact(list, "difficulty", region.difficulty);
  fact(list, "visibility", visible(region.visibility));
  if (params.amount != null) fact(list, "amount", `${params.amount} ${params.unit ?? ""}`);
  const [x1, y1, x2, y2] = region.bbox;
  fact(list, "box", `[${region.bbox.join(", ")}], ${x2 - x1} \u00d7 ${y2 - y1} px`);
  fact(list, "area", `${number(region.area * 100)} % of the image`);
  fact(list, "scale", number(params.scale, 4));
  fact(list, "feather", params.feather == null ? null : `${params.feather} px`);
  fact(list, "address", params.address ? JSON.stringify(params.address) : null, "mono");
  const known = ["amount", "unit", "scale", "feather", "address", "version"];
  for (const [name, value] of Object.entries(params))
    if (!known.includes(name)) fact(list, name, typeof value === "string" ? value : JSON.stringify(value), "mono");
  const sign = data.has_sets ? badge(region.distortion, all.length > 1 ? String(order + 1) : "") : null;
  return make("section", { class: "card truth" }, make("h4", {}, sign, ` ${labelOf(region)}`), list);
}

// A long question: its first sentence, the rest on request, and the list that is its solution line by line.
function listCard(question) {
  const { prompt, solution, listed, numbers } = question;
  const [first] = prompt.match(/^[^]*?[.?!](?=\s|$)/) ?? [prompt];
  const lines = listed.map(({ what, family, box }, order) => {
    const at = numbers[order];
    const sign = at == null ? badge(family) : badge(family, numberOf(current(), at));
    return make("li", {}, sign, ` ${what} `, make("span", {}, `[${box.join(", ")}]`));
  });
  const list = lines.length ? make("ul", { class: "listed truth" }, ...lines) : make("p", { class: "solution truth" }, make("span", {}, "Solution"), "[ ]: nothing is distorted");
  const whole = make("details", {}, make("summary", {}, "The whole question"), make("p", {}, prompt), make("p", { class: "mono truth" }, solution));
  return make("section", { class: "card" }, make("h4", {}, TASKS[question.task]), make("p", { class: "prompt" }, first), list, whole);
}

// Links to the images of a pair, or the numbers of two regions.
function pairLine(question) {
  const names = ["First: ", "; second: "];
  if (question.numbers.length === 2 && question.numbers.every((at) => at !== null))
    return make("p", { class: "under truth" }, ...question.numbers.flatMap((at, order) => [names[order], badge(current().regions[at].distortion, String(at + 1))]));
  if (!question.other) return null;
  const at = state.shown.findIndex((index) => data.images[index].image_id === question.other);
  const link = make("button", { type: "button", class: "link", disabled: at < 0 }, question.other);
  link.addEventListener("click", () => go(at));
  return make("p", { class: "under" }, names[0], link, names[1], "this image");
}

function questionCard(question) {
  if (question.listed) return listCard(question);
  const cut = question.prompt.lastIndexOf("\n\n");
  const text = cut > 0 ? question.prompt.slice(0, cut) : question.prompt;
  const card = make("section", { class: "card" });
  card.append(make("h4", {}, TASKS[question.task] ?? question.task), make("p", { class: "prompt" }, text));
  const pair = pairLine(question);
  if (pair) card.append(pair);
  const right = question.solution.split(", ");
  for (const names of question.candidates) {
    const list = make("ul", { class: "chips" });
    for (const name of names) {
      const hit = state.answers && (name === question.solution || (names.length > 1 && question.task !== "object" && right.includes(name)));
      list.append(make("li", { class: hit ? "right" : "" }, name));
    }
    card.append(list);
  }
  card.append(make("p", { class: "solution truth" }, make("span", {}, "Solution"), question.solution));
  if (cut > 0) card.append(make("details", {}, make("summary", {}, "How to answer"), make("p", {}, question.prompt.slice(cut + 2))));
  return card;
}

function originCard(image) {
  const list = make("dl", { class: "facts" });
  fact(list, "reference", image.reference_id, "mono");
  fact(list, "source", image.reference_source);
  fact(list, "licence", image.reference_license);
  fact(list, "seed", String(image.seed));
  fact(list, "generator", `distortlab ${image.generator_version}`);
  fact(list, "pixels", image.pixels_sha256, "mono");
  return make("section", { class: "card" }, list);
}

function showPanel() {
  const panel = $("panel");
  panel.replaceChildren();
  panel.scrollTop = 0;
  const image = current();
  if (!image) return;
  const count = image.regions.length;
  const title = !state.answers ? "What was done here?" : count > 1 ? `${count} distorted regions` : headline(image);
  const previous = make("button", { type: "button", "aria-label": "Previous image", disabled: state.at === 0 }, "\u2039");
  const next = make("button", { type: "button", "aria-label": "Next image", disabled: state.at === state.shown.length - 1 }, "\u203a");
  previous.addEventListener("click", () => go(state.at - 1));
  next.addEventListener("click", () => go(state.at + 1));
  panel.append(
    make("div", { class: "title" }, make("h2", {}, title), make("span", { class: "steps" }, previous, next)),
    make("p", { class: "under" }, `${image.image_id} \u00b7 ${image.split} \u00b7 ${image.width} \u00d7 ${image.height}`),
  );
  if (state.answers) panel.append(...summary(image));
  if (image.pictures.why) panel.append(make("p", { class: "under" }, `No reference to compare with. ${image.pictures.why}`));
  if (image.questions.length) panel.append(make("h3", {}, "Questions"), ...image.questions.map(questionCard));
  if (state.answers && image.regions.length) panel.append(make("h3", {}, image.kind === "whole" ? "Whole frame" : plural(count, "region")), ...image.regions.map(regionCard));
  panel.append(make("h3", {}, "Origin"), originCard(image));
  if (!state.answers) panel.querySelectorAll(".truth").forEach((node) => node.remove());
}
