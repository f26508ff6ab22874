// The panel of a task that answers a text: models to choose, the text, and an answer of each model.

import { exampleText } from "./api.js";
import { debounced, element } from "./dom.js";
import { inside } from "./inside.js";
import { cards, modelChoice } from "./panel.js";

/**
 * Returns the panel; memory holds what was typed, also when the language changes.
 *
 * id and label: those of the text field; answer: (model, text, card body, abort signal) -> a promise, which fills the card.
 */
export function textPanel(models, runs, memory, id, label, answer) {
  const text = element("textarea", { id, maxlength: 20000 });
  text.value = memory.text ??= exampleText(models[0]);
  const asked = cards((model, body, signal) => answer(model, text.value, body, signal));
  const ask = () => {
    memory.text = text.value;
    asked.ask(choice.chosen());
  };
  const choice = modelChoice(models, ask);
  text.addEventListener("input", debounced(300, ask));
  const panel = element("div", {}, choice.element, element("label", { for: id }, label), text, asked.element,
    inside(runs, () => text.value));
  return { element: panel, shown: ask, stop: asked.stop };
}

/** Returns the name of the signature of a kind; undefined if the model has none. */
export function signatureOfKind(model, kind) {
  return Object.keys(model.signatures).find((name) => model.signatures[name].kind === kind);
}
