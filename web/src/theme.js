// The three theme buttons: at once in this page, and kept by the server for the next one. Without JavaScript the form does it.
export const THEME_CHANGED = "querent:theme";

export function themes() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-themes]")) return;
    event.preventDefault();
    const chosen = event.submitter?.value ?? "auto";
    const root = document.documentElement;
    if (chosen === "auto") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    document.querySelector("meta[name=color-scheme]").content = chosen === "auto" ? "light dark" : chosen;
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button === event.submitter)));
    document.dispatchEvent(new CustomEvent(THEME_CHANGED));
    fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: chosen, back: "/" }), redirect: "manual" });
  });
}
