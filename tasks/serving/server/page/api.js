// Requests to the server: the list of models, predictions, generated text as it is written, and runs.

/** An answer that is an error; its message is the server's own. */
export class RequestError extends Error {}

async function checked(response) {
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error || message;
  } catch {
    // The answer is no JSON: its status is all that is known.
  }
  throw new RequestError(message);
}

async function post(url, content, signal) {
  return checked(await fetch(url, { method: "POST", body: JSON.stringify(content), signal }));
}

/** Returns the models with their versions and signatures. */
export async function listModels() {
  return (await (await checked(await fetch("v1/models"))).json()).models;
}

/** Returns the runs that the server shows the inside of; none if it was started without. */
export async function listRuns() {
  const response = await fetch("runs");
  return response.ok ? (await response.json()).runs : [];
}

function address(model) {
  return `v1/models/${encodeURIComponent(model.name)}/versions/${model.version}`;
}

/** Returns the answer to a request. */
export async function send(model, request, signal) {
  return (await post(`${address(model)}:predict`, request, signal)).json();
}

/** Returns the outputs of a signature for columns of inputs. */
export async function predict(model, signature, inputs, signal) {
  const { outputs } = await send(model, { signature_name: signature, inputs }, signal);
  const names = Object.keys(model.signatures[signature].outputs);
  return names.length === 1 ? { [names[0]]: outputs } : outputs;
}

/** Returns how a run processes a text. */
export async function explain(run, text, signal) {
  return (await post(`runs/${encodeURIComponent(run)}`, { text }, signal)).json();
}

/** Yields the events of generated text, each the object of its data. */
export async function* generated(model, inputs, signal) {
  const response = await post(`${address(model)}:stream`, inputs, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      waiting += value;
      const events = waiting.split("\n\n");
      waiting = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
        if (!data.length) continue;
        const content = JSON.parse(data.join("\n"));
        if (content.error) throw new RequestError(content.error);
        yield content;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Returns the text in the example of the signature that answers. */
export function exampleText(model) {
  const { instances, inputs } = model.signatures[model.answers].example;
  const values = instances ? instances[0] : Object.values(inputs)[0][0];
  return typeof values === "string" ? values : String(Object.values(values)[0]);
}
