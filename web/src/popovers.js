// Small panels behind a summary: one open at a time, Escape and a click outside close them.
const open = () => [...document.querySelectorAll("details.pop[open]")];

export function popovers() {
  document.addEventListener("toggle", (event) => {
    const shown = event.target;
    if (!(shown instanceof HTMLDetailsElement) || !shown.matches(".pop") || !shown.open) return;
    open().filter((other) => other !== shown).forEach((other) => { other.open = false; });
    const body = shown.querySelector(".pop-body");
    const [place, around] = [shown.getBoundingClientRect(), shown.closest(".panel, main").getBoundingClientRect()];
    body.classList.toggle("from-right", place.left + body.offsetWidth > around.right && place.right - body.offsetWidth >= around.left);
    body.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("click", (event) => {
    const left = event.target.closest("[data-leave]")?.dataset.leave;
    if (left) {
      document.getElementById(left).replaceChildren();
      document.querySelector(`[hx-target="#${CSS.escape(left)}"]`)?.focus();
    }
    open().filter((one) => !one.contains(event.target)).forEach((one) => { one.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open().forEach((one) => {
      one.open = false;
      if (one.contains(document.activeElement)) one.querySelector("summary").focus();
    });
  });
}
