// Passwords: show or hide, and the live list of rules (PWD-3).
// What is checked comes from the server in `data-rules` (idp/domain/password_policy.py), the words from the page:
// neither is defined twice. What is common or personal is told by the server, when the form is sent.
"use strict";

const PAUSE_BEFORE_READING = 700; // milliseconds: a screen reader is not interrupted at each key
const LEVELS = ["weak", "medium", "strong"];
// What typing more can't mend is wrong at once; the rest is only still to do.
const WRONG_AT_ONCE = new Set(["refused_characters", "control_characters", "too_long"]);

/** Code points of a password in NFC: what the server counts and hashes. */
const codePoints = (password) => Array.from(password.normalize("NFC"));

/** Which rules hold, by name, and the refused characters found. */
function check(characters, rules) {
  const accepted = characters.filter((character) => !rules.refused.includes(character)).join("");
  const found = rules.refused.filter((character) => characters.includes(character));
  const holds = {
    too_short: characters.length >= rules.min_length,
    too_long: characters.length <= rules.max_length,
    refused_characters: found.length === 0,
    control_characters: !new RegExp(rules.control, "u").test(characters.join("")),
  };
  for (const [name, pattern] of Object.entries(rules.classes)) holds[name] = new RegExp(pattern, "u").test(accepted);
  return { holds, found };
}

/** Index of the class of a character, in the order of `strength.class_sizes`; one more for none of them. */
function classOf(character) {
  const index = [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{L}\p{M}\p{Z}\p{C}]/u].findIndex((one) => one.test(character));
  return index === -1 ? 4 : index;
}

/** How many characters tell something: not those that repeat, follow the one before, or a pair seen already. */
function tellingCharacters(characters) {
  const seen = new Set();
  let telling = characters.length ? 1 : 0;
  for (let index = 1; index < characters.length; index += 1) {
    const [before, after] = [characters[index - 1], characters[index]];
    const step = Math.abs(after.codePointAt(0) - before.codePointAt(0));
    if (step > 1 && !seen.has(before + after)) telling += 1;
    seen.add(before + after);
  }
  return telling;
}

/** Place in LEVELS: the same estimate as the server's. */
function strength(characters, { class_sizes: sizes, medium_bits: medium, strong_bits: strong }) {
  const classes = [...new Set(characters.map(classOf))];
  const alphabet = classes.reduce((sum, index) => sum + (sizes[index] ?? 1), 0);
  const bits = characters.length ? tellingCharacters(characters) * Math.log2(alphabet) : 0;
  return bits >= strong ? 2 : bits >= medium ? 1 : 0;
}

function showOrHide(input, button) {
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Hidden again before it is sent: browsers remember what text fields held.
  input.form.addEventListener("submit", () => show(false));
}

/** One line of the list: its words, its state, and the state in words for those who don't see the colour. */
class Rule {
  constructor(item) {
    this.item = item;
    this.name = item.dataset.rule;
    this.onlyWhenWrong = item.hidden;
    this.original = [...item.childNodes];
    this.words = item.textContent;
    this.status = document.createElement("span");
    this.status.className = "visually-hidden";
  }

  /** Shows the state and gives the words when the rule is broken. */
  show(holds, found, statuses, empty) {
    const state = empty ? "todo" : holds ? "done" : WRONG_AT_ONCE.has(this.name) ? "wrong" : "todo";
    const named = state === "wrong" && this.item.dataset.found;
    const words = named ? named.replace("{found}", found.map((one) => this.item.dataset.quote.replace("{one}", one)).join(", ")) : this.words;
    this.item.dataset.state = state;
    this.item.hidden = this.onlyWhenWrong && state !== "wrong";
    this.status.textContent = statuses[state] ? ` (${statuses[state]})` : "";
    this.item.replaceChildren(...(named ? [words] : this.original), this.status);
    return holds ? [] : [words];
  }
}

function liveRules(field, input) {
  const rules = JSON.parse(input.dataset.rules);
  const list = field.querySelector(".rules ul");
  const lines = [...list.querySelectorAll("[data-rule]")].map((item) => new Rule(item));
  const meter = field.querySelector(".strength");
  const level = meter.querySelector("[data-levels]");
  const announcer = field.querySelector("[data-announce]");
  let timer;

  function read(missing, empty) {
    const rest = missing.length ? `${announcer.dataset.still} ${missing.join(", ")}.` : announcer.dataset.allGood;
    announcer.textContent = empty ? "" : `${rest} ${meter.querySelector("p").textContent}.`;
  }

  function update() {
    const empty = input.value === "";
    const characters = codePoints(input.value);
    const { holds, found } = check(characters, rules);
    const missing = lines.flatMap((line) => line.show(holds[line.name], found, list.dataset, empty));
    const place = strength(characters, rules.strength);
    meter.hidden = empty;
    meter.dataset.level = LEVELS[place];
    level.textContent = level.dataset.levels.split("|")[place];
    clearTimeout(timer);
    timer = setTimeout(() => read(missing, empty), PAUSE_BEFORE_READING);
  }

  input.addEventListener("input", update);
  if (input.value) update();
}

for (const field of document.querySelectorAll("[data-password]")) {
  const input = field.querySelector("input");
  showOrHide(input, field.querySelector(".reveal"));
  if (input.dataset.rules) liveRules(field, input);
}
