// Choices in an order: one more place to choose, where the last one stands.
export function several() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-one-more]");
    if (!button) return;
    const last = button.previousElementSibling;
    const next = last.cloneNode(true);
    next.value = "";
    next.setAttribute("aria-label", last.getAttribute("aria-label").replace(/\d+$/, (place) => Number(place) + 1));
    last.after(next);
    next.focus();
  });
}
