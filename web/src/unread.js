// The count of unread messages in the navigation follows the inbox. One tab listens and tells the others: browsers open few streams per site.
const NAME = "querent-unread";

function show(place, count) {
  const said = count < 100 ? String(count) : "99+";
  place.hidden = count === 0;
  const number = place.querySelector("[data-number]");
  if (number.textContent === said) return;
  const grew = count > Number(place.dataset.unread);
  number.textContent = said;
  place.dataset.unread = count;
  if (grew) document.getElementById("status").textContent = count === 1 ? "One unread message" : `${count} unread messages`;
}

export function unread() {
  const place = document.querySelector("[data-unread]");
  if (!place || !navigator.locks || !window.BroadcastChannel) return;
  const others = new BroadcastChannel(NAME);
  others.onmessage = (event) => show(place, event.data);
  const listen = () => new Promise(() => {
    const stream = new EventSource(`/inbox/unread/events?after=${place.dataset.unread}`);
    stream.addEventListener("unread", (event) => {
      const count = Number(event.data);
      show(place, count);
      others.postMessage(count);
    });
    addEventListener("pagehide", () => stream.close());
  });
  navigator.locks.request(NAME, listen).catch(() => {});
}
