// The panel for every signature: a request as JSON, and its answer.

import { send as sendRequest } from "./api.js";
import { element } from "./dom.js";
import { failure, title } from "./panel.js";
import { words } from "./words.js";

/** Returns the panel; memory holds what was chosen. */
export function requests(models, memory) {
  const all = models.flatMap((model) => Object.keys(model.signatures).map((name) => ({ model, name })));
  const choice = element("select", { id: "signature", onchange: chosen },
    all.map(({ model, name }, index) => element("option", { value: index }, `${title(model)} / ${name}`)));
  choice.value = memory.chosen ??= "0";
  const request = element("textarea", { id: "request", rows: 8, spellcheck: "false" });
  const answer = element("pre", { class: "json", "aria-live": "polite" });
  const tensors = element("p", { class: "quiet" });
  let abort = new AbortController();
  const described = (tensors) => Object.entries(tensors).map(([name, { dtype, shape }]) => `${name}: ${dtype} [${shape ?? "?"}]`).join(", ");
  function chosen() {
    memory.chosen = choice.value;
    const signature = all[choice.value].model.signatures[all[choice.value].name];
    tensors.textContent = `${described(signature.inputs)} \u2192 ${described(signature.outputs)}`;
    request.value = JSON.stringify(signature.example, null, 1);
    answer.replaceChildren();
  }
  async function send() {
    abort.abort();
    abort = new AbortController();
    const { model } = all[choice.value];
    let content;
    try {
      content = JSON.parse(request.value);
    } catch (error) {
      answer.replaceChildren(failure(new Error(words("not_json", { reason: error.message }))));
      return;
    }
    try {
      answer.replaceChildren(JSON.stringify(await sendRequest(model, content, abort.signal), null, 1));
    } catch (error) {
      if (error.name !== "AbortError") answer.replaceChildren(failure(error));
    }
  }
  const panel = element("div", {},
    element("div", { class: "controls" }, element("label", { for: "signature" }, words("signature"), choice)),
    tensors, element("label", { for: "request" }, words("request")), request,
    element("div", { class: "controls" }, element("button", { type: "button", class: "primary", onclick: send }, words("send"))),
    element("h3", {}, words("answer")), answer);
  return { element: panel, shown: chosen, stop: () => abort.abort() };
}
