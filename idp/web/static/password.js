// Passwords: show or hide, and the live list of rules (PWD-3).
// The rules come from the server in `data-rules`, the words from the page: neither is defined twice.
"use strict";

const PAUSE_BEFORE_READING = 700; // milliseconds: a screen reader is not interrupted at each key
const QUOTED = (text) => `«\u00a0${text}\u00a0»`;

const isLetter = (c) => /\p{L}/u.test(c);
const isMark = (c) => /\p{M}/u.test(c);
const isDigit = (c) => /\p{Nd}/u.test(c);
const isSpace = (c) => /\s/u.test(c);
const isControl = (c) => /\p{Cc}/u.test(c);

/** What holds and what does not, for one password; compared in NFC, counted in code points, like the server. */
function check(password, rules) {
  const characters = Array.from(password.normalize("NFC"));
  const refused = [...new Set(characters.filter((c) => rules.refused.includes(c)))];
  const isSpecial = (c) =>
    !isLetter(c) && !isMark(c) && !isDigit(c) && !isSpace(c) && !isControl(c) && !rules.refused.includes(c);
  return {
    characters,
    refused,
    holds: {
      length: characters.length >= rules.min_length,
      uppercase: characters.some((c) => /\p{Lu}/u.test(c)),
      lowercase: characters.some((c) => /\p{Ll}/u.test(c)),
      digit: characters.some(isDigit),
      special: characters.some(isSpecial),
      refused: refused.length === 0,
      control: !characters.some(isControl),
      maximum: characters.length <= rules.max_length,
    },
  };
}

/** 0 to 4, by length and variety only: a hint for the person, never a reason to refuse. */
function strength({ characters, holds }, rules) {
  const variety = new Set(characters).size;
  if (!Object.values(holds).every(Boolean)) return variety > rules.min_length ? 1 : 0;
  if (variety < rules.min_length - 2) return 1;
  if (characters.length >= rules.recommended_length + 3) return 4;
  if (characters.length >= rules.recommended_length) return 3;
  return 2;
}

function showHide(field, input, button) {
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Back to hidden before it is sent: browsers remember what is typed in text fields.
  input.form?.addEventListener("submit", () => show(false));
}

function liveRules(field, input) {
  const rules = JSON.parse(input.dataset.rules);
  const list = field.querySelector(".rules ul");
  const items = [...list.querySelectorAll("[data-rule]")].map((item) => ({
    item,
    name: item.dataset.rule,
    optional: item.hidden,
    original: [...item.childNodes].map((node) => node.cloneNode(true)),
    words: item.textContent,
  }));
  const meter = field.querySelector(".strength");
  const level = meter.querySelector("[data-levels]");
  const levels = level.dataset.levels.split("|");
  const announcer = field.querySelector("[data-announce]");
  // Refused while typing only where typing more can't mend it.
  const wrongAtOnce = new Set(["refused", "control", "maximum"]);
  let timer;

  function state(name, holds, empty) {
    if (empty) return "todo";
    if (holds) return "done";
    return wrongAtOnce.has(name) ? "wrong" : "todo";
  }

  function words({ item, name, words: original }, result) {
    if (name !== "refused" || result.refused.length === 0) return original;
    return item.dataset.wrongText.replace("{found}", result.refused.map(QUOTED).join(", "));
  }

  function render() {
    const empty = input.value === "";
    const result = check(input.value, rules);
    const missing = [];
    for (const entry of items) {
      const now = state(entry.name, result.holds[entry.name], empty);
      const text = words(entry, result);
      if (!empty && !result.holds[entry.name]) missing.push(text);
      entry.item.dataset.state = now;
      entry.item.hidden = entry.optional && now !== "wrong";
      const shown = text === entry.words ? entry.original.map((node) => node.cloneNode(true)) : [text];
      const status = { done: list.dataset.done, wrong: list.dataset.wrong }[now];
      entry.item.replaceChildren(...shown);
      if (status) {
        const hiddenStatus = document.createElement("span");
        hiddenStatus.className = "visually-hidden";
        hiddenStatus.textContent = `\u00a0: ${status}`;
        entry.item.append(hiddenStatus);
      }
    }
    const score = strength(result, rules);
    meter.hidden = empty;
    meter.dataset.level = String(score);
    level.textContent = levels[score];
    clearTimeout(timer);
    timer = setTimeout(() => announce(empty, missing, meter), PAUSE_BEFORE_READING);
  }

  function announce(empty, missing) {
    const rest = missing.length ? `${announcer.dataset.still} ${missing.join(", ")}.` : announcer.dataset.allGood;
    announcer.textContent = empty ? "" : `${rest} ${meter.querySelector("p").textContent}.`;
  }

  input.addEventListener("input", render);
  if (input.value) render();
}

for (const field of document.querySelectorAll("[data-password]")) {
  const input = field.querySelector("input");
  showHide(field, input, field.querySelector(".reveal"));
  if (input.dataset.rules) liveRules(field, input);
}
