// "/" goes to the question box, as people expect.
export function keyboard() {
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const box = document.getElementById("question");
      if (box) {
        event.preventDefault();
        box.focus();
        box.select();
      }
    }
  });
}
