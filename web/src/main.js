import "./app.css";
import "htmx.org";
import { boards } from "./boards.js";
import { busy } from "./busy.js";
import { cards } from "./cards.js";
import { combobox } from "./combobox.js";
import { copying } from "./copy.js";
import { watchJobs } from "./jobs.js";
import { keyboard } from "./keyboard.js";
import { once } from "./once.js";
import { popovers } from "./popovers.js";
import { previews } from "./preview.js";
import { several } from "./several.js";
import { themes } from "./theme.js";
import { typed } from "./typed.js";
import { unread } from "./unread.js";
import { uploads } from "./upload.js";

document.documentElement.classList.add("js");
const ANSWERS = new Set(["answers", "result", "checked"]);

function enhance(root) {
  combobox(root);
  watchJobs(root, arrived);
  uploads(root);
  previews(root, enhance);
  boards(root, enhance);
  const charts = root.querySelectorAll(".chart[data-spec]:not([data-drawn])");
  if (charts.length) import("./charts.js").then(({ draw }) => charts.forEach(draw));
}

// On a phone the places are a row that scrolls sideways; the one that is open stands in its middle.
function inSight(place) {
  const [row, own] = [place.parentElement, place.getBoundingClientRect()];
  row.scrollLeft += own.left + own.width / 2 - row.getBoundingClientRect().left - row.clientWidth / 2;
}

// What has just come is named to screen readers, and the keyboard goes on from there.
function arrived(place, { focus }) {
  document.querySelector(".hello")?.classList.add("done");
  const said = place.querySelector("[data-said]") ?? place.closest?.("[data-said]");
  if (said) document.getElementById("status").textContent = said.dataset.said;
  const titled = place.querySelector("[data-title]");
  if (titled) {
    document.title = `${titled.dataset.title} · ${document.querySelector(".brand")?.textContent.trim() ?? "Querent"}`;
    const box = document.getElementById("question");
    if (box && titled.dataset.box) box.value = titled.dataset.box;
  }
  if (focus) place.querySelector(".headline")?.focus({ preventScroll: false });
}

cards();
document.addEventListener("DOMContentLoaded", () => {
  enhance(document);
  keyboard();
  themes();
  popovers();
  busy();
  copying();
  unread();
  once();
  several();
  typed();
  document.querySelectorAll(".nav [aria-current], .tabs [aria-current]").forEach(inSight);
  document.querySelector(".problem .headline")?.focus();
});
// Who pressed a button that is gone with what it changed goes on from where it stood, and in a form that came from its first field.
function goOn(target) {
  const first = target.querySelector("[data-first]");
  if (first) return first.focus();
  if (document.activeElement !== document.body || target.matches("input, textarea, select")) return;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

let held = false;
document.addEventListener("htmx:before:swap", (event) => {
  held = event.detail?.ctx?.target?.contains?.(document.activeElement) ?? false;
});
document.addEventListener("htmx:after:swap", (event) => {
  enhance(document);
  const target = event.detail?.ctx?.target;
  if (!target?.isConnected) return;
  if (ANSWERS.has(target.id)) arrived(target, { focus: true });
  else if (held || target.querySelector("[data-first]")) goOn(target);
});
