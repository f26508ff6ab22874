// The panel of generation: text as it is written, and the probabilities of the next characters.

import { generated, predict } from "./api.js";
import { bars, debounced, element } from "./dom.js";
import { inside } from "./inside.js";
import { cards, modelChoice } from "./panel.js";
import { words } from "./words.js";

/** Returns the name of the signature that answers with the most probable next characters; undefined if there is none. */
function nextOf(model) {
  return Object.keys(model.signatures).find((name) => {
    const { inputs, outputs } = model.signatures[name];
    return "prompt" in inputs && "candidates" in outputs;
  });
}

/** Returns the panel; memory holds what was typed and chosen. */
export function generation(models, runs, memory) {
  Object.assign(memory, { temperature: 0.8, top_p: 1, length: 300, seed: 1, prompt: "", ...memory });
  const prompt = element("textarea", { id: "prompt", maxlength: 20000, rows: 3 });
  prompt.value = memory.prompt;
  const start = element("button", { type: "button", class: "primary", onclick: write }, words("generate"));
  const stop = element("button", { type: "button", disabled: true, onclick: () => writing.stop() }, words("stop"));
  const controls = element("div", { class: "controls" },
    slider("temperature", 0, 2, 0.05), slider("top_p", 0.05, 1, 0.05), number("length", 1, 5000), number("seed", 0, 2147483647), start, stop);

  function slider(name, min, max, step) {
    const text = element("span", {});
    const input = element("input", { type: "range", min, max, step, oninput: changed });
    input.value = memory[name];
    function changed() {
      memory[name] = Number(input.value);
      text.textContent = words(name, { value: memory[name].toFixed(2) });
    }
    text.textContent = words(name, { value: memory[name].toFixed(2) });
    return element("label", {}, text, input);
  }

  function number(name, min, max) {
    const input = element("input", { type: "number", min, max, step: 1, onchange: () => {
      if (input.checkValidity()) memory[name] = Number(input.value);
      else input.reportValidity();
    } });
    input.value = memory[name];
    return element("label", {}, words(name), input);
  }

  const writing = cards(async (model, body, signal) => {
    const [begin, text, pending] = [element("span", { class: "prompt" }), element("span", {}), element("span", {})];
    body.append(element("p", { class: "generated" }, begin, text, pending));
    const { temperature, top_p, length, seed } = memory;
    for await (const event of generated(model, { prompt: prompt.value, temperature, top_p, length, seed }, signal)) {
      (event.index === 0 ? begin : text).append(event.text ?? "");
      pending.textContent = event.pending ?? "";
    }
  });
  async function write() {
    memory.prompt = prompt.value;
    [start.disabled, stop.disabled] = [true, false];
    stop.focus();
    await writing.ask(choice.chosen());
    [start.disabled, stop.disabled] = [false, true];
    if (document.activeElement === stop || document.activeElement === document.body) start.focus();
  }

  const following = cards(async (model, body, signal) => {
    const inputs = { prompt: [prompt.value] };
    if ("seed" in model.signatures[nextOf(model)].inputs) inputs.seed = [memory.seed];
    const found = await predict(model, nextOf(model), inputs, signal);
    body.append(bars(found.candidates[0].map((character, index) => [character, found.candidate_probabilities[0][index]]), (character) => {
      prompt.value += character;
      showNext();
      prompt.focus();
    }));
  });
  const showNext = debounced(250, () => {
    memory.prompt = prompt.value;
    following.ask(choice.chosen().filter(nextOf));
  });
  const choice = modelChoice(models, showNext);
  prompt.addEventListener("input", showNext);
  const hasNext = models.some(nextOf);
  const panel = element("div", {}, choice.element, element("label", { for: "prompt" }, words("prompt")), prompt, controls,
    writing.element,
    hasNext ? element("section", {}, element("h3", {}, words("next")), element("p", { class: "quiet" }, words("next_help")), following.element) : null,
    inside(runs, () => prompt.value));
  return { element: panel, shown: showNext, stop: () => { writing.stop(); following.stop(); } };
}
