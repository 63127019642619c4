// A form that is checked as one types: figures that were asked for are not taken away by a check of the same entries that comes after them.
export function typed() {
  const asked = new WeakMap();
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement: source, request } = event.detail.ctx;
    const form = source.closest?.(".object-form");
    if (!form) return;
    const entries = JSON.stringify([...request.body].filter(([name]) => name !== "act").map(([name, value]) => [name, String(value)]));
    if (source === form && asked.get(form) === entries) event.preventDefault();
    else asked.set(form, entries);
  });
}
