import htmx from "htmx.org";

// Metric cards are read one after the other: one that waits is not read any more once an answer stands in its place, and one that takes
// long says so, with a way to try again.
const SLOW_AFTER_MS = 8_000;

function slow(card) {
  if (!card.isConnected || card.querySelector(".slow")) return;
  const words = document.createElement("p");
  words.className = "small soft slow";
  words.textContent = "The warehouse takes longer than usual. ";
  const again = document.createElement("button");
  again.type = "button";
  again.className = "link small";
  again.textContent = "Try again";
  again.addEventListener("click", () => {
    words.remove();
    card.dispatchEvent(new CustomEvent("htmx:abort"));
    htmx.ajax("GET", card.getAttribute("hx-get"), { source: card, target: card, swap: "innerHTML" });
  });
  words.append(again);
  card.append(words);
}

export function cards() {
  const timers = new WeakMap();
  const isCard = (element) => element.matches?.(".cards > [hx-sync]");
  document.addEventListener("htmx:before:request", ({ target }) => isCard(target) && timers.set(target, setTimeout(slow, SLOW_AFTER_MS, target)));
  document.addEventListener("htmx:finally:request", ({ target }) => clearTimeout(timers.get(target)));
  // What is no longer on the page has no document to listen at.
  document.addEventListener("DOMContentLoaded", () => {
    for (const card of document.querySelectorAll(".cards > [hx-sync]")) card.addEventListener("htmx:before:request", (event) => card.isConnected || event.preventDefault());
  });
}
