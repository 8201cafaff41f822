// Which images are shown, and how many there would be.

const TESTS = {
  family: (image, { family }) => !family || image.regions.some((region) => region.distortion === family),
  severity: (image, { severities }) => !severities.size || image.regions.some((region) => severities.has(region.severity)),
  task: (image, { task }) => !task || image.questions.some((question) => question.task === task),
  visibility: (image, { least, most }) =>
    (least === null && most === null) ||
    image.regions.some((region) => visibility(region) >= (least ?? -Infinity) && visibility(region) <= (most ?? Infinity)),
};

function wanted() {
  const read = (id) => ($(id).value === "" || !Number.isFinite(Number($(id).value)) ? null : Number($(id).value));
  const pressed = [...$("severities").querySelectorAll('[aria-pressed="true"]')].map((button) => Number(button.value));
  return { family: $("family").value, task: $("task").value, severities: new Set(pressed), least: read("least"), most: read("most") };
}

const fits = (image, filter, but) => Object.entries(TESTS).every(([name, test]) => name === but || test(image, filter));

function counts(filter, but, values) {
  const out = new Map();
  for (const image of data.images.filter((one) => fits(one, filter, but)))
    for (const value of new Set(values(image))) out.set(value, (out.get(value) ?? 0) + 1);
  return out;
}

function showFilters(filter) {
  const families = counts(filter, "family", (image) => image.regions.map((region) => region.distortion));
  const tasks = counts(filter, "task", (image) => image.questions.map((question) => question.task));
  const severities = counts(filter, "severity", (image) => image.regions.map((region) => region.severity));
  for (const [select, found] of [[$("family"), families], [$("task"), tasks]])
    for (const option of select.options)
      if (option.value) option.textContent = `${option.dataset.name} (${found.get(option.value) ?? 0})`;
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
  if (current() !== before) state.view = null;
  showFilters(filter);
  $("count").textContent = `${state.shown.length} of ${plural(data.images.length, "image")}`;
  showStrip();
  show();
}

function fillFilters() {
  const option = (value, name) => make("option", { value, "data-name": name }, name);
  const families = new Map(data.images.flatMap((image) => image.regions.map((region) => [region.distortion, region.type])));
  const tasks = new Set(data.images.flatMap((image) => image.questions.map((question) => question.task)));
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
