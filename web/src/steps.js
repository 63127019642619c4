// A request that tells its steps while it works: server-sent events over fetch, so that stopping it stops the query. htmx swaps what comes last.
export function telling(request, told) {
  return async (url, options) => {
    const response = await request(url, { ...options, headers: { ...options.headers, Accept: "text/event-stream" } });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new TypeError("the answer broke off");
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [kind, data] = parsed(text.slice(0, end));
        text = text.slice(end + 2);
        if (kind === "step") told(data);
        if (kind === "done") return new Response(data.html, { status: data.status, headers: { ...data.headers, "Content-Type": "text/html" } });
      }
    }
  };
}

function parsed(block) {
  const lines = block.split("\n");
  const kind = lines.find((line) => line.startsWith("event: "))?.slice(7);
  const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
  return [kind, data ? JSON.parse(data) : null];
}
