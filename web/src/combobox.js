// Autocomplete as an ARIA combobox with a listbox: arrows move, Enter takes, Escape closes, Tab goes on.
const WAIT_MS = 80;

function optionFor(item, id) {
  const option = document.createElement("li");
  option.id = id;
  option.role = "option";
  option.setAttribute("aria-selected", "false");
  option.dataset.text = item.text;
  const label = document.createElement("span");
  label.textContent = item.text;
  const kind = document.createElement("span");
  kind.className = "soft small";
  kind.textContent = item.kind === "dimension" ? "field" : item.kind;
  option.append(label, kind);
  return option;
}

function attach(box) {
  box.dataset.combo = "yes";
  const list = document.createElement("ul");
  list.id = `${box.id}-list`;
  list.role = "listbox";
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("aria-label", "Suggestions");
  box.parentElement.append(list);
  box.role = "combobox";
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");
  let at = -1;
  let timer = 0;
  let asked = null;
  let typed = "";

  const close = () => {
    asked?.abort();
    clearTimeout(timer);
    list.hidden = true;
    at = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    const options = [...list.children];
    at = index;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    if (at < 0) {
      box.removeAttribute("aria-activedescendant");
      box.value = typed;
      return;
    }
    box.setAttribute("aria-activedescendant", options[at].id);
    box.value = options[at].dataset.text;
    options[at].scrollIntoView({ block: "nearest" });
  };
  const fetchNow = async () => {
    asked?.abort();
    asked = new AbortController();
    typed = box.value;
    try {
      const response = await fetch(`${box.dataset.suggest}?q=${encodeURIComponent(typed.slice(0, 500))}`, { signal: asked.signal });
      if (!response.ok) return close();
      const { items } = await response.json();
      if (document.activeElement !== box || box.value !== typed) return;
      list.replaceChildren(...items.map((item, i) => optionFor(item, `${list.id}-${i}`)));
      at = -1;
      list.hidden = items.length === 0;
      box.setAttribute("aria-expanded", String(items.length > 0));
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    if (!box.value.trim()) return close();
    timer = setTimeout(fetchNow, WAIT_MS);
  });
  box.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (event.key === "ArrowDown" && list.hidden) {
      event.preventDefault();
      fetchNow();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) return;
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(((at + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      box.value = typed;
      close();
    } else if (event.key === "Enter" || event.key === "Tab") {
      close();
    }
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    box.value = option.dataset.text;
    close();
    box.form.requestSubmit();
  });
  box.addEventListener("blur", close);
  box.form.addEventListener("submit", close);
}

export function combobox(root) {
  root.querySelectorAll("input[data-suggest]:not([data-combo])").forEach(attach);
}
