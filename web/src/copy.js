// Copy buttons, links that are copied instead of followed, and lines of a text that are gone to.
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

function goTo(field, line) {
  const lines = field.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  field.scrollTop = (field.scrollHeight / lines.length) * (line - 1) - field.clientHeight / 3;
}

export function copying() {
  document.addEventListener("click", (event) => {
    const line = event.target.closest("[data-go-line]");
    if (line) goTo(document.getElementById(line.dataset.goIn), Number(line.dataset.goLine));
    const button = event.target.closest("[data-copy]");
    if (button) put(document.getElementById(button.dataset.copy).textContent, button);
    const link = event.target.closest("[data-copy-link]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && navigator.clipboard) {
      event.preventDefault();
      put(link.href, link);
    }
  });
}
