// What can be answered, by which key, and how a choice looks.

const LETTERS = "abcdefghijkl";

function optionsOf(task) {
  if (task === "detection")
    return [
      { value: "untouched", text: "Untouched", keys: ["ArrowLeft", "n"], sign: "\u2190" },
      { value: "distorted", text: "Distorted", keys: ["ArrowRight", "y"], sign: "\u2192" },
    ];
  if (task === "comparison")
    return [
      { value: "First", text: "First", keys: ["ArrowLeft", "ArrowUp", "1"], sign: "\u2190" },
      { value: "Second", text: "Second", keys: ["ArrowRight", "ArrowDown", "2"], sign: "\u2192" },
    ];
  if (task === "recognition")
    return data.families.map(([value, text, looks], at) => ({ value, text, looks, keys: [LETTERS[at]], sign: LETTERS[at] }));
  return [
    { value: null, text: "I see nothing", keys: ["n"], sign: "n" },
    { value: "here", text: "Here", keys: ["Enter"], sign: "\u21b5" },
  ];
}

const QUESTIONS = {
  detection: "Was a part of this image distorted?",
  recognition: "Which distortion is it?",
  comparison: "Which of the two is more degraded?",
  grounding: "Point at the part that was distorted.",
};

function choiceButton(option, choose) {
  const button = make(
    "button",
    { type: "button", "data-value": option.value ?? "none", title: option.looks },
    make("span", { class: "name" }, option.text),
    option.looks ? make("small", {}, option.looks) : null,
    make("kbd", { "aria-hidden": "true" }, option.sign),
  );
  button.addEventListener("click", (event) => choose(option, event.pointerType || (event.detail ? "mouse" : "key")));
  return button;
}

function showChoices(task, choose) {
  const buttons = optionsOf(task).map((option) => choiceButton(option, choose));
  $("choices").className = task;
  $("choices").replaceChildren(...buttons);
}

// What a key chooses; arrows move the mark where one points.
function onTrialKey(event, task, choose) {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (task === "grounding" && arrows[event.key]) {
    moveMark(...arrows[event.key], event.shiftKey);
    return true;
  }
  const option = optionsOf(task).find(({ keys }) => keys.includes(event.key.length === 1 ? event.key.toLowerCase() : event.key));
  if (!option) return false;
  choose(option, "key");
  return true;
}
