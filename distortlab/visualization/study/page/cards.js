// The pages between trials: what the study is, the screen, a part, a break, the end.

const card = $("card");

function showCard(...children) {
  $("trial").hidden = true;
  card.hidden = false;
  card.replaceChildren(...children.filter(Boolean));
  scrollTo(0, 0);
  (card.querySelector(".primary") ?? card).focus({ preventScroll: true });
}

function action(text, act, primary = true) {
  const button = make("button", { type: "button", class: primary ? "primary" : "" }, text);
  button.addEventListener("click", act);
  return button;
}

const text = (content, kind) => make("p", { class: kind }, content);
const actions = (...buttons) => make("div", { class: "actions" }, ...buttons);
const notKept = () => (keeps ? null : text("This browser does not keep answers for a file: do not close or reload the page before you have downloaded them.", "warning"));

function showIntro() {
  const before = kept();
  const asked = decodeURIComponent(location.hash.replace(/^#/, "")).slice(0, 40);
  const name = make("input", { id: "name", value: asked || randomName(), maxlength: 40, autocomplete: "off", spellcheck: "false" });
  const { total } = stepsOf(0).at(-1);
  const start = () => {
    begin(name.value.trim() || randomName());
    showScreen();
  };
  const again = before && !before.finished;
  showCard(
    make("h1", {}, "A study of what people see in images"),
    text(`You will look at images and answer ${plural(total, "question")}, in ${plural(data.orders[0].length, "part")}: about ${Math.ceil(total / 11)} minutes. Each part begins with a short training that tells you what is right; after that nothing does. There are breaks, and you may stop whenever you like.`),
    text("Nothing is sent. Your answers stay in this browser until you download them at the end, as a file that you hand on yourself. It holds your answers, how long each took, the size of your screen, and the name below."),
    before?.finished ? text(`The answers of participant ${before.participant} are still in this browser.`, "note") : null,
    before?.finished ? actions(action("Show them", () => resume(before), false)) : null,
    again ? text(`Participant ${before.participant} stopped here after ${before.answers.length} of ${stepsOf(before.order).at(-1).total} answers.`, "note") : null,
    notKept(),
    again ? actions(action("Go on where they stopped", () => resume(before))) : null,
    make("label", { class: "field" }, "Number or name you were given (or keep this one) ", name),
    actions(action(again ? "Begin anew" : "Begin", start, !again)),
    text(`${data.made_by}, study ${data.study}, seed ${data.seed}`, "fine"),
  );
}

function resume(before) {
  session = before;
  if (session.screen.scale) return showStep();
  showScreen();
}

function showScreen() {
  const narrow = innerWidth < 500;
  const coarse = matchMedia("(pointer: coarse)").matches;
  const [across, down] = narrow ? [CARD.short, CARD.long] : [CARD.long, CARD.short];
  const size = make("input", { id: "card-size", type: "range", min: "2.4", max: Math.min(9, (innerWidth - 8) / across).toFixed(2), step: "0.01", "aria-label": "Size of the card" });
  size.value = coarse ? 6 : 96 / 25.4;
  const shape = make("div", { class: narrow ? "bank-card cut" : "bank-card", "aria-hidden": "true" }, make("i"), make("i"));
  const distance = make("input", { id: "distance", type: "number", min: "15", max: "200", value: coarse ? "35" : "60", inputmode: "numeric" });
  const result = text("", "note");
  const far = () => clamp(Number(distance.value) || 60, 15, 200);
  const show = () => {
    Object.assign(shape.style, { width: `${across * size.value}px`, height: narrow ? "150px" : `${down * size.value}px` });
    result.textContent = describeScale(measure(Number(size.value), far()));
  };
  const go = (millimeter) => {
    session.screen = measure(millimeter, far());
    keep();
    showStep();
  };
  [size, distance].forEach((input) => input.addEventListener("input", show));
  showCard(
    make("h1", {}, "Your screen"),
    text(narrow ? "Hold a bank card upright to the screen and make this one as wide." : "Hold a bank card to the screen and make this one as large."),
    make("div", { class: "bank" }, shape),
    size,
    make("label", { class: "field" }, "From your eyes to the screen, in cm ", distance),
    result,
    fitsScreen() ? null : text(`Some images (${largest.join(" × ")} pixels) are larger than this window: you will have to drag them. A larger screen, or this one turned, shows them whole.`, "warning"),
    text("Turn the brightness up, turn off night colors, and keep the size of the page at 100 %."),
    notKept(),
    actions(action("Go on", () => go(Number(size.value))), action("I have no card", () => go(null), false)),
  );
  show();
}

const HOW = {
  detection: "In some of these images one part was distorted: blurred, made noisy, too bright, less colorful, ... In others nothing was done. Look all over the image, then say which it is.",
  recognition: "One part of each image was distorted. Say how. If you are not sure, take what seems most likely.",
  comparison: "Two copies of one image. Say which one is more degraded.",
  grounding: "One part of each image was distorted. Tap or click it, then say Here. With keys: arrows move the mark, with Shift in large steps; Enter says Here.",
};

function keyList(task) {
  const list = make("dl", { class: "keys" });
  for (const { text: name, looks, sign } of optionsOf(task)) list.append(make("dt", {}, make("kbd", {}, sign)), make("dd", {}, make("b", {}, name), looks ? `: ${looks}` : ""));
  return list;
}

function showPart(step) {
  const training = data.training[step.task].length;
  const first = step.part === 1;
  showCard(
    make("h1", {}, PARTS[step.task].title),
    first ? null : text("Rest your eyes for a moment before you go on: look at something far away."),
    text(HOW[step.task]),
    keyList(step.task),
    text(`${training ? `First ${plural(training, "image")} to learn, then ` : ""}${plural(step.trials, "question")}.${data.seconds ? ` Each image is shown for ${data.seconds} seconds; you may answer later.` : ""}`),
    actions(action(training ? "Begin the training" : "Begin", nextStep), first ? null : stopButton()),
  );
}

function showReady(step) {
  showCard(
    make("h1", {}, "Now the questions"),
    text(`${plural(step.trials, "question")}. From here on nothing says whether you are right.`),
    actions(action("Begin", nextStep)),
  );
}

function showBreak(step) {
  showCard(
    make("h1", {}, "A break"),
    text(`${step.number} of ${step.total} are done. Look at something far away for half a minute. Your answers are kept: you may close the page and go on later.`),
    notKept(),
    actions(action("Go on", nextStep), stopButton()),
  );
}

const stopButton = () => action("Stop here", () => showEnd(), false);

function showEnd() {
  const { total } = steps().at(-1);
  const whole = session.answers.length >= total;
  if (whole && !session.finished) session.finished = new Date().toISOString();
  keep();
  const copy = make("textarea", { readonly: true, rows: 5, "aria-label": "The answers as text" });
  copy.value = exported();
  copy.addEventListener("focus", () => copy.select());
  $("bar").hidden = true;
  showCard(
    make("h1", {}, whole ? "That was all. Thank you!" : "You stopped early. Thank you!"),
    text(`The ${whole ? total : `${session.answers.length} of ${total}`} answers of participant ${session.participant} are in this browser only: download them, and give the file to whoever asked you.`),
    actions(action("Download answers", download), whole ? null : action("Go on after all", showStep, false)),
    make("details", {}, make("summary", {}, "If nothing is downloaded: copy this text into a file that ends in .json"), copy),
    whole ? actions(action("Next person on this screen", nextPerson, false)) : null,
  );
}

function nextPerson() {
  if (!card.dataset.sure) {
    card.dataset.sure = "1";
    document.activeElement.textContent = "The answers above are then gone from this browser: yes, next person";
    return;
  }
  delete card.dataset.sure;
  forget();
  session = null;
  history.replaceState(null, "", location.pathname + location.search);
  showIntro();
}
