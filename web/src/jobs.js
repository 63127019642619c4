// A job's progress over server-sent events; the finished panel is fetched as HTML. Without JavaScript the panel has a reload link.
export function watchJobs(root) {
  root.querySelectorAll("[data-job-events]:not([data-watched])").forEach((panel) => {
    panel.dataset.watched = "yes";
    const bar = panel.querySelector("progress");
    const step = panel.querySelector("[data-step]");
    const stream = new EventSource(panel.dataset.jobEvents);
    const show = (event) => {
      const data = JSON.parse(event.data);
      if (typeof data.progress === "number" && bar) bar.value = data.progress;
      if (data.step && step) step.textContent = data.step;
    };
    stream.addEventListener("progress", show);
    stream.addEventListener("status", show);
    stream.addEventListener("end", async () => {
      stream.close();
      const response = await fetch(panel.dataset.jobPanel, { headers: { Accept: "text/html" } });
      if (!response.ok) return;
      const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = parsed.querySelector(".panel");
      if (!fresh) return;
      panel.replaceWith(document.importNode(fresh, true));
      document.dispatchEvent(new CustomEvent("htmx:after:swap"));
    });
  });
}
