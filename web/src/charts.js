import embed from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { THEME_CHANGED } from "./theme.js";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const ROW_PX = 34;
const PIN_ROW_PX = 28;
const PIN_PX = 200;

function theme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const text = color("--text-soft");
  const font = style.getPropertyValue("--font").trim();
  return {
    background: "transparent",
    font,
    axis: { labelColor: text, titleColor: text, gridColor: color("--line"), domain: false, ticks: false, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelPadding: 8, labelFont: font, titleFont: font },
    axisQuantitative: { tickCount: 6 },
    axisTemporal: { grid: false },
    legend: { labelColor: text, titleColor: text, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", symbolType: "square" },
    view: { stroke: null },
    range: { category: ["1", "2", "3", "4", "5", "6", "7", "8"].map((n) => color(`--series-${n}`)) },
    mark: { color: color("--series-1") },
    line: { strokeWidth: 2.5, strokeJoin: "round" },
    point: { filled: true, size: 45 },
    bar: { cornerRadiusEnd: 4 },
  };
}

// Charts of incidents carry the colours of e-mails; here they take those of the theme.
const OWN_COLOURS = { "#c9d7ea": "--chart-band", "#1f4e8c": "--chart-line", "#7f8fa6": "--chart-expected", "#c0392b": "--chart-odd" };

function coloured(text) {
  const style = getComputedStyle(document.documentElement);
  return text.replace(/"(#[0-9a-f]{6})"/g, (whole, colour) => (colour in OWN_COLOURS ? JSON.stringify(style.getPropertyValue(OWN_COLOURS[colour]).trim()) : whole));
}

// The headline above says the title; bars get a height of their own, so that three bars do not fill the screen.
function fitted(spec, small) {
  const made = { ...spec };
  delete made.title;
  made.width = "container";
  const first = spec.encoding ?? spec.layer?.[0].encoding;
  if (first?.y?.type === "nominal") {
    const row = small ? PIN_ROW_PX : ROW_PX;
    made.height = { step: first.yOffset ? row / 2 : row };
    if (spec.encoding) made.encoding = { ...first, y: { ...first.y, title: null } };
  } else if (small && typeof made.height === "number") made.height = PIN_PX;
  if (spec.encoding?.x?.field === "time" && spec.mark?.type === "line") made.mark = { ...spec.mark, point: spec.mark.point ? { filled: true, size: 45 } : false };
  return made;
}

// A click on a mark sends the same form as a click on a value in the table.
function drillable(view, element) {
  const groups = JSON.parse(element.dataset.drill);
  element.classList.add("drillable");
  view.addEventListener("click", (_, item) => {
    const form = document.getElementById(element.dataset.drillForm);
    const datum = item?.datum;
    if (!form) return;
    // A line is one mark for all its points: only marks of one row each can be drilled into.
    if (!["rect", "symbol", "arc"].includes(item?.mark?.marktype) || !datum || !Object.keys(groups).some((name) => name in datum)) return;
    form.querySelectorAll("input[name=mark]").forEach((old) => old.remove());
    for (const [name, group] of Object.entries(groups)) {
      if (!(name in datum)) continue;
      const raw = datum[name];
      const value = raw instanceof Date || (name === "time" && typeof raw === "number") ? new Date(raw).toISOString().slice(0, 19) : String(raw);
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = "mark";
      input.value = `${group}:${value}`;
      form.append(input);
    }
    form.requestSubmit();
  });
}

export async function draw(element) {
  element.dataset.drawn = "yes";
  const source = document.getElementById(element.dataset.spec);
  if (!source) return;
  const spec = fitted(JSON.parse(coloured(source.textContent)), element.closest(".pin") !== null);
  try {
    const { view } = await embed(element, { ...spec, autosize: { type: "fit-x", contains: "padding" } }, {
      ast: true,
      expr: expressionInterpreter,
      renderer: "svg",
      actions: false,
      logLevel: 1,
      defaultStyle: false,
      config: theme(),
      tooltip: { disableDefaultStyle: true },
    });
    // The place of the chart is one picture with words, and the table has the figures: single marks would only be noise.
    for (const part of element.children) part.setAttribute("aria-hidden", "true");
    if (element.dataset.drill) drillable(view, element);
  } catch (error) {
    element.textContent = "The chart could not be drawn; the table below has all figures.";
    console.error(error);
  }
}

function again() {
  document.querySelectorAll(".chart[data-spec][data-drawn]").forEach((element) => {
    element.replaceChildren();
    draw(element);
  });
}

dark.addEventListener("change", again);
document.addEventListener(THEME_CHANGED, again);
