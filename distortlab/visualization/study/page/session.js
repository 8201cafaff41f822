// A person's way through the study: the steps, where they stand, and the answers, kept in this browser.

const KEY = `distortlab-study:${data.study}`;
const PARTS = {
  detection: { title: "Is there a distortion?", key: "Untouched or distorted" },
  recognition: { title: "Which distortion is it?", key: "One of twelve" },
  comparison: { title: "Which one is worse?", key: "First or second" },
  grounding: { title: "Where is the distortion?", key: "A place in the picture" },
};

let session = null; // {participant, order, started, finished, screen, at, answers}
let keeps = true; // whether this browser keeps answers

// A number is that place among the prepared orders, any other name a place of its own.
function orderOf(name) {
  const count = data.orders.length;
  if (/^\d{1,9}$/.test(name)) return (((Number(name) - 1) % count) + count) % count;
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193) >>> 0;
  return hash % count;
}

function randomName() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => letters[byte % letters.length]).join("");
}

// Everything a person goes through: the card of a part, its training, the trials with breaks, the end.
function stepsOf(order) {
  const blocks = data.orders[order];
  const total = blocks.reduce((sum, [, trials]) => sum + trials.length, 0);
  const steps = [];
  let number = 0;
  blocks.forEach(([task, trials], part) => {
    const about = { task, part: part + 1, parts: blocks.length, total };
    steps.push({ kind: "part", ...about, number, trials: trials.length });
    data.training[task].forEach((truth) => steps.push({ kind: "trial", ...about, number, images: truth.images, truth }));
    if (data.training[task].length) steps.push({ kind: "ready", ...about, number, trials: trials.length });
    trials.forEach((images, place) => {
      const left = trials.length - place;
      if (place && place % data.break_every === 0 && left > data.break_every / 3) steps.push({ kind: "break", ...about, number });
      number += 1;
      steps.push({ kind: "trial", ...about, number, images });
    });
  });
  steps.push({ kind: "end", total, number });
  return steps;
}

function begin(participant) {
  session = {
    participant, order: orderOf(participant), started: new Date().toISOString(), finished: null, screen: {}, at: 0, answers: [],
  };
}

const steps = () => stepsOf(session.order);

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(session));
  } catch {
    keeps = false;
  }
}

function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    keeps = false;
  }
}

// What was kept, where it is whole; a training that was left begins again.
function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    const fits = found && Number.isInteger(found.at) && Array.isArray(found.answers) && typeof found.participant === "string";
    if (!fits || found.order !== orderOf(found.participant)) return null;
    if (!(found.screen?.scale >= 1)) found.screen = {};
    const all = stepsOf(found.order);
    found.at = clamp(found.at, 0, all.length - 1);
    if (all[found.at].truth) while (all[found.at].kind !== "part") found.at -= 1;
    return found;
  } catch {
    keeps = false;
    return null;
  }
}

function exported() {
  const { participant, order, started, finished, screen, answers } = session;
  const about = { format: data.format, version: data.version, study: data.study, data: data.data };
  return JSON.stringify({ ...about, participant, order, started, finished, screen, trials: answers }, null, 1);
}

function download() {
  const link = make("a", { download: `study-${session.participant.replace(/[^\w-]+/g, "_").slice(0, 40)}-${data.study.slice(0, 6)}.json` });
  link.href = URL.createObjectURL(new Blob([exported()], { type: "application/json" }));
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
