import embed from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function theme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const text = color("--text-soft");
  return {
    background: "transparent",
    font: style.getPropertyValue("--font"),
    axis: { labelColor: text, titleColor: text, gridColor: color("--line"), domainColor: color("--line"), tickColor: color("--line"), labelFontSize: 12, titleFontSize: 12 },
    legend: { labelColor: text, titleColor: text, labelFontSize: 12 },
    title: { color: color("--text"), fontSize: 0 },
    view: { stroke: null },
    range: { category: ["1", "2", "3", "4", "5", "6", "7", "8"].map((n) => color(`--series-${n}`)) },
    mark: { color: color("--series-1") },
  };
}

export async function draw(element) {
  element.dataset.drawn = "yes";
  const source = document.getElementById(element.dataset.spec);
  if (!source) return;
  const spec = JSON.parse(source.textContent);
  try {
    await embed(element, { ...spec, autosize: { type: "fit-x", contains: "padding" } }, {
      ast: true,
      expr: expressionInterpreter,
      renderer: "svg",
      actions: false,
      defaultStyle: false,
      config: theme(),
      tooltip: { disableDefaultStyle: true },
    });
  } catch (error) {
    element.textContent = "The chart could not be drawn; the table below has all figures.";
    console.error(error);
  }
}

dark.addEventListener("change", () => {
  document.querySelectorAll(".chart[data-spec]").forEach((element) => {
    element.replaceChildren();
    draw(element);
  });
});
