import "./app.css";
import "htmx.org";
import { watchJobs } from "./jobs.js";
import { keyboard } from "./keyboard.js";

function enhance(root) {
  watchJobs(root);
  const charts = root.querySelectorAll(".chart[data-spec]:not([data-drawn])");
  if (charts.length) {
    import("./charts.js").then(({ draw }) => charts.forEach(draw));
  }
}

document.addEventListener("DOMContentLoaded", () => {
  enhance(document);
  keyboard();
});
document.addEventListener("htmx:after:swap", () => enhance(document));
