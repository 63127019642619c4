import htmx from "htmx.org";

// A board: its forms answer in place, other people's changes arrive by themselves, pins move by mouse and arrow keys.
const FIELDS = "input:not([type=hidden]), textarea, select";
let enhance = () => {};

const place = () => document.getElementById("board");
const say = (text) => { document.getElementById("status").textContent = text; };

// What was drawn stays drawn when it is still the same; what was typed, opened and focused stays too.
function take(html) {
  const board = place();
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fresh = document.importNode(parsed.body, true);
  const state = fresh.querySelector(".board-state");
  if (!state) return false;
  for (const item of fresh.querySelectorAll("[data-pin]")) {
    const old = board.querySelector(`[data-pin="${CSS.escape(item.dataset.pin)}"]`);
    if (old?.dataset.key === item.dataset.key && old.querySelector(".pin-figures")) item.querySelector(".pin-body").replaceWith(old.querySelector(".pin-body"));
  }
  const held = document.activeElement?.closest?.("#board") ? document.activeElement : null;
  const focused = held?.id || held?.closest("details[id]")?.id || "";
  const had = held !== null;
  const opened = [...board.querySelectorAll("details[open][id]")].map((one) => one.id);
  const typed = [...board.querySelectorAll(FIELDS)].filter((one) => one.id && one.value !== one.defaultValue && one.tagName !== "SELECT").map((one) => [one.id, one.value]);
  const sent = board.dataset.sent;
  document.getElementById("vg-tooltip-element")?.classList.remove("visible");
  board.replaceChildren(...fresh.childNodes);
  board.dataset.changes = state.dataset.changes;
  for (const id of opened) if (id !== board.dataset.close) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field && id !== sent) field.value = value;
  }
  delete board.dataset.close;
  delete board.dataset.sent;
  if (had) {
    const again = document.getElementById(focused);
    (again?.querySelector(":scope > summary") ?? again ?? board).focus({ preventScroll: true });
  }
  htmx.process(board);
  enhance(document);
  fillPoints(board);
  return true;
}

async function refresh() {
  const response = await fetch(`/boards/${place().dataset.board}`, { headers: { "HX-Request": "true" } });
  if (response.ok) take(await response.text());
}

async function send(form, submitter) {
  const data = new URLSearchParams(new FormData(form, submitter));
  const board = place();
  board.dataset.close = form.matches("[data-stays]") ? "" : form.closest("details")?.id ?? "";
  board.dataset.sent = form.querySelector("input[name=text]")?.id ?? "";
  board.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.action, { method: "POST", body: data, headers: { "HX-Request": "true" } });
    const text = await response.text();
    if (take(text)) {
      const done = form.dataset.done && board.querySelector(`form[action="${CSS.escape(form.getAttribute("action"))}"] .done`);
      if (done) done.textContent = form.dataset.done;
      return;
    }
    const parsed = new DOMParser().parseFromString(text, "text/html").querySelector(".panel");
    const told = document.importNode(parsed ?? document.createElement("p"), true);
    told.setAttribute("role", "alert");
    board.prepend(told);
    told.scrollIntoView({ block: "nearest" });
  } catch {
    say("The server did not answer. Look at your connection and try again.");
  } finally {
    board.removeAttribute("aria-busy");
  }
}

function fillPoints(root) {
  root.querySelectorAll("select[data-points]").forEach((select) => {
    const known = document.getElementById(select.dataset.points);
    if (!known || select.options.length > 1) return;
    select.append(...[...known.children].map((option) => new Option(option.textContent, option.value)));
  });
}

function move(pin, to) {
  const form = document.getElementById("move-form");
  const count = place().querySelectorAll("[data-pin]").length;
  if (!form || to < 0 || to >= count || to === Number(pin.dataset.place)) return;
  form.elements.pin_id.value = pin.dataset.pin;
  form.elements.to.value = to;
  say(`Moved to place ${to + 1} of ${count}`);
  send(form);
}

function dragging(board) {
  let held = null;
  const clear = () => board.querySelectorAll(".dragged, .over-before").forEach((one) => one.classList.remove("dragged", "over-before"));
  board.addEventListener("dragstart", (event) => {
    held = event.target.closest?.(".handle")?.closest("[data-pin]") ?? null;
    if (!held) return;
    event.dataTransfer.setData("text/plain", held.dataset.pin);
    event.dataTransfer.effectAllowed = "move";
    held.classList.add("dragged");
  });
  board.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-pin]");
    if (!held || !over) return;
    event.preventDefault();
    board.querySelectorAll(".over-before").forEach((one) => one.classList.toggle("over-before", one === over));
    if (over !== held) over.classList.add("over-before");
  });
  board.addEventListener("drop", (event) => {
    const over = event.target.closest("[data-pin]");
    if (!held || !over) return;
    event.preventDefault();
    const pin = held;
    held = null;
    clear();
    move(pin, Number(over.dataset.place));
  });
  board.addEventListener("dragend", () => { held = null; clear(); });
  board.addEventListener("keydown", (event) => {
    const pin = event.target.closest?.(".handle")?.closest("[data-pin]");
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!pin || !step) return;
    event.preventDefault();
    move(pin, Number(pin.dataset.place) + step);
  });
}

function listen(board) {
  const stream = new EventSource(`/v1/boards/${board.dataset.board}/events?after=${board.dataset.changes}`);
  stream.addEventListener("changed", (event) => {
    if (JSON.parse(event.data).changes > Number(place().dataset.changes)) refresh();
  });
  stream.addEventListener("gone", () => {
    stream.close();
    say("This board was removed, or is no longer shared with you.");
  });
  window.addEventListener("pagehide", () => stream.close());
}

export function boards(root, again) {
  const board = root.querySelector("#board:not([data-ready])");
  enhance = again;
  if (!board) {
    if (place()) fillPoints(place());
    return;
  }
  board.dataset.ready = "yes";
  board.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-board-form]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });
  board.addEventListener("change", (event) => event.target.closest("[data-send-on-change]")?.requestSubmit());
  dragging(board);
  listen(board);
}
