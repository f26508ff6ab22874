// What the panels of all tasks share: which models are compared, and a card for the answer of each.

import { element } from "./dom.js";
import { RequestError } from "./api.js";
import { words } from "./words.js";

/** Returns the name of a model's version, unique on the page. */
export function title(model) {
  return `${model.name} / ${model.version}`;
}

/** Returns check boxes for models, and a function that returns the chosen ones. The first two are chosen at first. */
export function modelChoice(models, changed) {
  const boxes = models.map((model, index) => element("input", {
    type: "checkbox", checked: index < 2 || models.length < 4, onchange: changed,
  }));
  const choice = element("fieldset", {}, element("legend", {}, words("models")), element("div", { class: "choices" },
    models.map((model, index) => element("label", {}, boxes[index], model.name, " ",
      element("span", { class: "quiet" }, words("version", model))))));
  return { element: choice, chosen: () => models.filter((_, index) => boxes[index].checked) };
}

/**
 * Returns the cards of models' answers, and a function that asks all of them.
 *
 * answer: (model, card body, abort signal) -> a promise, which fills the card. A new question ends the one before.
 */
export function cards(answer) {
  const results = element("div", { class: "results" });
  let abort = new AbortController();
  async function one(model) {
    const state = element("span", { class: "quiet", role: "status" }, words("working"));
    const body = element("div", {});
    results.append(element("section", { class: "card", "aria-label": title(model) },
      element("header", {}, element("h2", {}, title(model)), state), body));
    const signal = abort.signal;
    try {
      await answer(model, body, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      body.replaceChildren(failure(error));
    } finally {
      state.textContent = "";
    }
  }
  function ask(models) {
    stop();
    results.replaceChildren();
    return Promise.all(models.map(one));
  }
  function stop() {
    abort.abort();
    abort = new AbortController();
  }
  return { element: results, ask, stop };
}

/** Returns the message of an error. */
export function failure(error) {
  const message = error instanceof RequestError ? error.message : error instanceof TypeError ? words("unreachable") : String(error);
  return element("p", { class: "error", role: "alert" }, message);
}
