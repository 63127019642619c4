import htmx from "htmx.org";

// A job's progress over server-sent events; the finished panel is fetched as HTML. Without JavaScript the panel has a reload link.
export function watchJobs(root, arrived) {
  root.querySelectorAll("[data-job-events]:not([data-watched])").forEach((place) => {
    place.dataset.watched = "yes";
    const bar = place.querySelector("progress");
    const step = place.querySelector("[data-step]");
    const stream = new EventSource(place.dataset.jobEvents);
    const show = (event) => {
      if (!place.isConnected) return stream.close();
      const data = JSON.parse(event.data);
      const state = place.closest(".job").querySelector(".state.pending");
      if (state && (data.step || data.status === "RUNNING")) {
        state.className = "state running";
        state.textContent = "running";
        place.querySelector("[data-line]")?.remove();
      }
      if (typeof data.progress === "number" && bar) bar.value = data.progress;
      if (!data.step) return;
      step.textContent = data.step;
      place.querySelectorAll("[data-step-name]").forEach((one) => {
        if (data.step !== one.dataset.stepName) return one.removeAttribute("aria-current");
        one.setAttribute("aria-current", "step");
        step.textContent = one.textContent;
      });
    };
    stream.addEventListener("progress", show);
    stream.addEventListener("status", show);
    stream.addEventListener("end", async () => {
      stream.close();
      if (!place.isConnected) return;
      const response = await fetch(place.dataset.jobPanel, { headers: { "HX-Request": "true" } });
      if (!response.ok) return;
      const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = document.importNode(parsed.querySelector(".panel"), true);
      place.closest(".job").replaceWith(fresh);
      htmx.process(fresh);
      document.dispatchEvent(new CustomEvent("htmx:after:swap"));
      arrived(fresh.parentElement, { focus: false });
    });
  });
}
