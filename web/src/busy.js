import { telling } from "./steps.js";

// While an answer is on its way: what is being done, for how long, and a way to stop it. Stopping ends the warehouse query too.
const SHOW_AFTER_MS = 250;
const SLOW_AFTER_MS = 10_000;
let running = null;

// One line per step: those that are over keep their words, the running one counts its seconds.
function line(text, detail = "") {
  const item = document.createElement("li");
  const words = document.createElement("span");
  words.textContent = text;
  item.append(words);
  if (detail) {
    const more = document.createElement("span");
    more.className = "detail";
    more.textContent = detail;
    item.append(more);
  }
  return item;
}

function slow() {
  if (!running) return;
  const words = document.createElement("p");
  words.className = "small soft slow";
  words.textContent = "This takes longer than usual: the warehouse is slow to answer. You can wait, or cancel and ask for a shorter time or fewer groups.";
  running.list.after(words);
  document.getElementById("status").textContent = words.textContent;
}

function tick() {
  const last = running?.list.lastElementChild?.firstElementChild;
  if (!last) return;
  const seconds = Math.floor((performance.now() - running.since) / 1000);
  last.textContent = seconds < 2 ? `${running.what}…` : `${running.what}… ${seconds} s`;
}

function told({ step, text, detail }) {
  if (!running) return;
  const last = running.list.lastElementChild;
  if (step === "understood") {
    last?.replaceWith(line(`${text}:`, detail));
    return;
  }
  const before = last?.firstElementChild;
  if (before && !last.querySelector(".detail")) before.textContent = running.what;
  if (running.told || step !== "understanding") {
    if (step === "charting" && last && detail) last.append(line("", detail).lastElementChild);
    running.list.append(line(text));
  } else running.list.replaceChildren(line(text));
  running.told = true;
  running.what = text;
  running.since = performance.now();
  tick();
  if (!running.panel.hidden) document.getElementById("status").textContent = text;
}

function stop() {
  if (!running) return;
  clearTimeout(running.shower);
  clearTimeout(running.slow);
  running.panel.querySelector(".slow")?.remove();
  clearInterval(running.ticker);
  running.panel.hidden = true;
  document.getElementById("answers")?.removeAttribute("aria-busy");
  running = null;
}

export function busy() {
  document.addEventListener("htmx:before:request", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    const panel = document.getElementById("busy");
    // What a field inside the form asks as one types is not the form's own request, and must not take its place.
    if (!source?.matches?.("[data-busy]") || !panel) return;
    stop();
    running = { form: source, panel, what: source.dataset.busy, since: performance.now(), list: panel.querySelector("[data-busy-steps]"), told: false };
    running.list.replaceChildren(line(source.dataset.busy));
    const ctx = event.detail.ctx;
    if (String(ctx.request.action).endsWith("/ask")) ctx.fetch = telling(ctx.fetch, told);
    document.getElementById("answers")?.setAttribute("aria-busy", "true");
    running.shower = setTimeout(() => {
      panel.hidden = false;
      document.getElementById("status").textContent = source.dataset.busy;
    }, SHOW_AFTER_MS);
    running.slow = setTimeout(slow, SLOW_AFTER_MS);
    running.ticker = setInterval(tick, 500);
    tick();
  });
  // After the swap the form may be gone, and then its last event does not come up to here: the response is enough.
  for (const name of ["htmx:after:request", "htmx:finally:request"]) {
    document.addEventListener(name, (event) => {
      if (running && event.detail?.ctx?.sourceElement === running.form) stop();
    });
  }
  document.addEventListener("htmx:error", (event) => {
    const place = document.getElementById("answers") ?? document.getElementById("result") ?? document.getElementById("checked");
    if (!place || !event.detail?.ctx?.sourceElement?.matches?.("[data-busy]")) return;
    const panel = document.createElement("section");
    panel.className = "panel problem";
    const head = document.createElement("h2");
    head.className = "headline";
    head.tabIndex = -1;
    head.textContent = "The server did not answer. Look at your connection and try again.";
    panel.append(head);
    place.replaceChildren(panel);
    head.focus();
  });
  const cancel = () => {
    const was = running;
    if (!was) return;
    was.form.dispatchEvent(new CustomEvent("htmx:abort"));
    stop();
    document.getElementById("status").textContent = "Stopped.";
    document.getElementById("question")?.focus();
  };
  document.addEventListener("click", (event) => event.target.closest("[data-cancel]") && cancel());
  document.addEventListener("keydown", (event) => event.key === "Escape" && running && cancel());
}
