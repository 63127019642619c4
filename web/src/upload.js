// Upload with progress, by choosing or dropping a file; problems are shown where they happen.
function problem(place, detail, requestId) {
  const panel = document.createElement("p");
  panel.className = "notice bad";
  panel.role = "alert";
  panel.textContent = detail + (requestId ? ` Request ${requestId}` : "");
  place.replaceChildren(panel);
}

function send(form) {
  const state = form.querySelector("[data-upload-state]");
  const bar = state.querySelector("progress");
  const text = form.querySelector("[data-upload-text]");
  const wrong = form.querySelector("[data-upload-problem]");
  const button = form.querySelector("button:not([type])");
  const data = new FormData(form);
  if (!data.get("name")) data.delete("name");
  wrong.replaceChildren();
  state.hidden = false;
  button.disabled = true;
  const request = new XMLHttpRequest();
  request.open("POST", form.dataset.upload);
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.value = event.loaded / event.total;
    text.textContent = event.loaded < event.total ? `Sending: ${Math.round((100 * event.loaded) / event.total)}%` : "Sent. Starting to load…";
  });
  const failed = (detail, id) => {
    state.hidden = true;
    button.disabled = false;
    problem(wrong, detail, id);
  };
  request.addEventListener("load", () => {
    if (request.status === 202) location.assign(`/jobs/${request.response.id}`);
    else failed(request.response?.detail ?? "The file was not accepted.", request.response?.request_id);
  });
  request.addEventListener("error", () => failed("The server did not answer. Look at your connection and try again."));
  request.send(data);
}

export function uploads(root) {
  root.querySelectorAll("form[data-upload]:not([data-ready])").forEach((form) => {
    form.dataset.ready = "yes";
    const drop = form.querySelector(".drop");
    const input = form.querySelector("input[type=file]");
    for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  });
}
