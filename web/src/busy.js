// While an answer is on its way: what is being done, for how long, and a way to stop it. Stopping ends the warehouse query too.
const SHOW_AFTER_MS = 250;
let running = null;

function tick() {
  if (!running) return;
  const seconds = Math.floor((performance.now() - running.since) / 1000);
  running.text.textContent = seconds < 2 ? `${running.what}…` : `${running.what}… ${seconds} s`;
}

function stop() {
  if (!running) return;
  clearTimeout(running.shower);
  clearInterval(running.ticker);
  running.panel.hidden = true;
  document.getElementById("answers")?.removeAttribute("aria-busy");
  running = null;
}

export function busy() {
  document.addEventListener("htmx:before:request", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    const form = source?.closest?.("[data-busy]");
    const panel = document.getElementById("busy");
    if (!form || !panel) return;
    stop();
    running = { form: source, panel, what: form.dataset.busy, since: performance.now(), text: panel.querySelector("[data-busy-text]") };
    document.getElementById("answers")?.setAttribute("aria-busy", "true");
    running.shower = setTimeout(() => {
      panel.hidden = false;
      document.getElementById("status").textContent = form.dataset.busy;
    }, SHOW_AFTER_MS);
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
    if (!place || !event.detail?.ctx?.sourceElement?.closest?.("[data-busy]")) return;
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
