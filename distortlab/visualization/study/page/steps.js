// From step to step, and the trials themselves.

let turn = 0; // which trial is under way: what comes late for another is dropped
let trial = null; // {step, started, timer, answered}

function showBar(step) {
  $("bar").hidden = false;
  $("part").textContent = step.truth ? "Training" : `Part ${step.part} of ${step.parts}`;
  $("count").textContent = step.truth ? "" : `${step.number} of ${step.total}`;
  const bar = $("progress");
  bar.setAttribute("aria-valuemax", step.total);
  bar.setAttribute("aria-valuenow", step.number);
  bar.firstElementChild.style.width = `${(100 * (step.number - (step.truth ? 0 : 1))) / step.total}%`;
}

function showStep() {
  const step = steps()[session.at];
  turn += 1;
  trial = null;
  if (step.kind === "end") return showEnd();
  showBar(step);
  if (step.kind === "trial") return showTrial(step);
  ({ part: showPart, ready: showReady, break: showBreak })[step.kind](step);
}

function nextStep() {
  session.at += 1;
  keep();
  showStep();
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

async function showTrial(step) {
  const mine = turn;
  card.hidden = true;
  $("trial").hidden = false;
  $("question").textContent = QUESTIONS[step.task];
  $("feedback").textContent = "";
  $("feedback").className = "";
  clearStage();
  showChoices(step.task, choose);
  const [canvases] = await Promise.all([Promise.all(step.images.map(picture)), pause(data.blank)]);
  if (mine !== turn) return;
  place(step.images, canvases);
  stage.focus({ preventScroll: true });
  const timer = data.seconds ? setTimeout(hideImages, 1000 * data.seconds) : null;
  trial = { step, started: performance.now(), timer, answered: false };
  stage.dataset.shown = step.images.map((index) => data.images[index].name).join(" ");
  for (const { images } of steps().slice(session.at + 1, session.at + 2)) images?.forEach(picture);
}

function choose(option, input) {
  if (!trial || trial.answered) return;
  const { step } = trial;
  if (step.task === "grounding" && option.value === "here" && !mark) {
    $("feedback").textContent = "Point at a place first, or say that you see nothing.";
    return;
  }
  const answer = option.value === "here" ? mark : option.value;
  trial.answered = true;
  clearTimeout(trial.timer);
  if (step.truth) return teach(step, answer);
  const seconds = Number(((performance.now() - trial.started) / 1000).toFixed(3));
  session.answers.push({ task: step.task, images: step.images.map((index) => data.images[index].name), answer, seconds, input });
  nextStep();
}

function isRight({ task, truth }, answer) {
  if (task !== "grounding") return answer === truth.right;
  if (!answer) return false;
  const [x1, y1, x2, y2] = truth.right;
  return answer[0] >= x1 && answer[0] <= x2 && answer[1] >= y1 && answer[1] <= y2;
}

function teach(step, answer) {
  const right = isRight(step, answer);
  const { says, boxes, images } = step.truth;
  const worse = step.task === "comparison" ? `${step.truth.right}: ` : "";
  $("feedback").className = right ? "right" : "wrong";
  $("feedback").textContent = `${right ? "Right" : "Not this time"}. ${worse}${says}${boxes.some(Boolean) ? " (outlined)" : ""}.`;
  outline(boxes.length === images.length ? boxes : []);
  $("choices").className = "go";
  $("choices").replaceChildren(action("Go on", nextStep));
  $("choices").firstElementChild.focus({ preventScroll: true });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (!trial || trial.answered || $("trial").hidden) return;
  if (["Enter", " "].includes(event.key) && event.target.closest("button")) return;
  if (onTrialKey(event, trial.step.task, choose)) event.preventDefault();
}

function onPicture(event) {
  if (!trial || trial.answered) return;
  const at = frames.findIndex(({ canvas }) => canvas === event.target);
  if (at < 0) return;
  if (trial.step.task === "grounding") pointAt(event);
  else if (trial.step.task === "comparison") choose({ value: ["First", "Second"][at] }, event.pointerType || "mouse");
}

function start() {
  document.addEventListener("keydown", onKey);
  stage.addEventListener("click", onPicture);
  addEventListener("resize", arrange);
  showIntro();
}

start();
