// A form that was sent is not sent again while its answer is awaited: two clicks make one goal. htmx and our own scripts look after theirs.
const AWAITED_MS = 10_000;

export function once() {
  let sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    const before = sent.get(form);
    if (before && before.by === event.submitter && event.timeStamp - before.at < AWAITED_MS) return event.preventDefault();
    sent.set(form, { by: event.submitter, at: event.timeStamp });
  });
  addEventListener("pageshow", () => (sent = new WeakMap()));
}
