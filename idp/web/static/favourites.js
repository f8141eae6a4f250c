// Favourite services by drag and drop. The buttons of the page do the same without a script (PRO-4).
"use strict";

const list = document.querySelector(".favourites");
const form = document.querySelector("form.order");
let dragged = null;

const entries = () => Array.from(list.children);

/** The entry that the pointer is above the middle of. */
const following = (y) =>
  entries().find((entry) => {
    const box = entry.getBoundingClientRect();
    return entry !== dragged && y < box.top + box.height / 2;
  }) ?? null;

/** Send the order, when it is another one than the page came with. */
function keep() {
  const fields = Array.from(form.querySelectorAll("[name=order]"));
  const order = entries().map((entry) => entry.dataset.id);
  if (fields.every((field, index) => field.value === order[index])) return;
  fields.forEach((field, index) => { field.value = order[index]; });
  form.submit();
}

if (list && form) {
  for (const entry of entries()) entry.draggable = true;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    if (dragged === null) return;
    event.preventDefault();
    list.insertBefore(dragged, following(event.clientY));
  });
  list.addEventListener("drop", (event) => event.preventDefault());
  list.addEventListener("dragend", () => {
    dragged.classList.remove("dragged");
    dragged = null;
    keep();
  });
}
