// Which images are shown, and how many there would be.

const TESTS = {
  kind: (image, { kind }) => !kind || image.kind === kind,
  task: (image, { task }) => !task || image.questions.some((question) => question.task === task),
};
// One region has to pass them all.
const REGION_TESTS = {
  family: (region, { family }) => !family || region.distortion === family,
  severity: (region, { severities }) => !severities.size || severities.has(region.severity),
  difficulty: (region, { difficulty }) => !difficulty || region.difficulty === difficulty,
  visibility: (region, { least, most }) =>
    (least === null && most === null) || (visibility(region) >= (least ?? -Infinity) && visibility(region) <= (most ?? Infinity)),
};
const KINDS = { pristine: "Pristine", whole: "Whole frame" };

function wanted() {
  const read = (id) => ($(id).value === "" || !Number.isFinite(Number($(id).value)) ? null : Number($(id).value));
  const pressed = [...$("severities").querySelectorAll('[aria-pressed="true"]')].map((button) => Number(button.value));
  const chosen = Object.fromEntries(["kind", "family", "difficulty", "task"].map((id) => [id, $(id).value]));
  return { ...chosen, severities: new Set(pressed), least: read("least"), most: read("most") };
}

const passes = (tests, thing, filter, but) => Object.entries(tests).every(([name, test]) => name === but || test(thing, filter));
const asksForRegion = ({ family, severities, difficulty, least, most }, but) =>
  Object.entries({ family, severity: severities.size, difficulty, visibility: least !== null || most !== null }).some(([name, asked]) => asked && name !== but);
const regionsThatPass = (image, filter, but) => image.regions.filter((region) => passes(REGION_TESTS, region, filter, but));
const fits = (image, filter, but) =>
  passes(TESTS, image, filter, but) && (!asksForRegion(filter, but) || regionsThatPass(image, filter, but).length > 0);

function counts(filter, but, values) {
  const out = new Map();
  for (const image of data.images.filter((one) => fits(one, filter, but)))
    for (const value of new Set(values(image))) out.set(value, (out.get(value) ?? 0) + 1);
  return out;
}

function showFilters(filter) {
  const ofRegions = (but, name) => counts(filter, but, (image) => regionsThatPass(image, filter, but).map((region) => region[name]));
  const found = {
    kind: counts(filter, "kind", (image) => [image.kind]),
    family: ofRegions("family", "distortion"),
    difficulty: ofRegions("difficulty", "difficulty"),
    task: counts(filter, "task", (image) => image.questions.map((question) => question.task)),
  };
  const severities = ofRegions("severity", "severity");
  for (const [id, counted] of Object.entries(found))
    for (const option of $(id).options)
      if (option.value) option.textContent = `${option.dataset.name} (${counted.get(option.value) ?? 0})`;
  for (const button of $("severities").querySelectorAll("button")) {
    const count = severities.get(Number(button.value)) ?? 0;
    button.title = plural(count, "image");
    button.setAttribute("aria-label", `Severity ${button.value}, ${plural(count, "image")}`);
  }
}

function applyFilters() {
  const filter = wanted();
  const before = current();
  state.shown = data.images.map((_, index) => index).filter((index) => fits(data.images[index], filter));
  state.at = Math.max(0, state.shown.findIndex((index) => data.images[index] === before));
  if (current() !== before) state.view = state.region = null;
  showFilters(filter);
  $("count").textContent = `${state.shown.length} of ${plural(data.images.length, "image")}`;
  showStrip();
  show();
}

const rank = (kind) => ({ pristine: -2, whole: -1 })[kind] ?? Number(kind);

function fillFilters() {
  const option = (value, name) => make("option", { value, "data-name": name }, name);
  const families = new Map(data.images.flatMap((image) => image.regions.map((region) => [region.distortion, region.type])));
  const tasks = new Set(data.images.flatMap((image) => image.questions.map((question) => question.task)));
  const kinds = [...new Set(data.images.map((image) => image.kind))].sort((a, b) => rank(a) - rank(b));
  const known = new Set(data.images.flatMap((image) => image.regions.map((region) => region.difficulty)));
  const difficulties = ["easy", "medium", "hard"].filter((name) => known.has(name));
  $("kind").append(option("", "all"), ...kinds.map((kind) => option(kind, KINDS[kind] ?? plural(Number(kind), "region"))));
  $("kind").parentNode.hidden = kinds.length < 2;
  $("difficulty").append(option("", "all"), ...difficulties.map((name) => option(name, name)));
  $("difficulty").parentNode.hidden = difficulties.length < 2;
  $("family").append(option("", "all"), ...[...families].sort().map(([value, name]) => option(value, name)));
  $("task").append(option("", "all"), ...[...tasks].sort().map((value) => option(value, TASKS[value] ?? value)));
  for (const severity of SEVERITIES) {
    const button = make("button", { type: "button", value: severity, "aria-pressed": "false" }, String(severity));
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      applyFilters();
    });
    $("severities").append(button);
  }
  $("filters").addEventListener("input", applyFilters);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("reset", () => {
    $("severities").querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", "false"));
    setTimeout(applyFilters);
  });
}
