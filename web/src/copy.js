// Copy buttons, and links that are copied instead of followed.
const say = (text) => { document.getElementById("status").textContent = text; };

async function put(text, element) {
  const before = element.textContent;
  try {
    await navigator.clipboard.writeText(text);
    element.textContent = "Copied";
    say("Copied");
  } catch {
    element.textContent = "Could not copy";
  }
  setTimeout(() => { element.textContent = before; }, 1500);
}

export function copying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) put(document.getElementById(button.dataset.copy).textContent, button);
    const link = event.target.closest("[data-copy-link]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && navigator.clipboard) {
      event.preventDefault();
      put(link.href, link);
    }
  });
}
