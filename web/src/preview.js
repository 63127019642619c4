// What a rule would have told, again while its form changes: debounced, and an older answer never overtakes a newer one.
const WAIT_MS = 250;

// A name that nobody typed follows what the rule is.
function named(form, suggested) {
  const [name, before] = [form.elements.namedItem("name"), form.elements.namedItem("suggested")];
  if (!suggested || !before || name.value !== before.value) return;
  name.value = before.value = suggested;
}

export function previews(root, enhance) {
  root.querySelectorAll("form[data-preview]:not([data-ready])").forEach((form) => {
    form.dataset.ready = "yes";
    const place = document.getElementById("preview");
    let timer = 0;
    let asked = null;
    const look = async () => {
      asked?.abort();
      asked = new AbortController();
      const mine = asked;
      place.setAttribute("aria-busy", "true");
      try {
        const response = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "HX-Request": "true" }, signal: mine.signal });
        const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
        if (mine !== asked) return;
        place.replaceChildren(...[...parsed.body.childNodes].map((node) => document.importNode(node, true)));
        enhance(document);
        const said = form.querySelector("[data-preview-said]");
        if (said) said.textContent = place.querySelector(".headline")?.textContent ?? "";
        named(form, place.querySelector("[data-suggested]")?.dataset.suggested);
      } catch (error) {
        if (error.name === "AbortError") return;
        place.textContent = "The server did not answer. Look at your connection and change something to try again.";
      }
      place.removeAttribute("aria-busy");
    };
    form.addEventListener("input", (event) => {
      const shown = document.getElementById(event.target.dataset?.shows ?? "");
      if (shown) shown.textContent = event.target.value.replace(".", event.target.dataset.decimal ?? ".");
      if (event.target.name === "name" || event.target.name === "notify") return;
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    });
    look();
  });
}
