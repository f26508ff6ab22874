// What only a run can show: the gates and states of its network, if the server was started with --run.

import { explain } from "./api.js";
import { element, pieceText } from "./dom.js";
import { failure } from "./panel.js";
import { words } from "./words.js";

/** Returns the part of a panel for the runs of its task; null without any. */
export function inside(runs, text) {
  if (!runs.length) return null;
  return element("section", {}, element("h3", {}, words("inside")), element("div", { class: "results" }, runs.map((run) => {
    const body = element("div", {});
    const button = element("button", { type: "button", onclick: async () => {
      button.disabled = true;
      body.replaceChildren(element("p", { class: "quiet", role: "status" }, words("working")));
      try {
        body.replaceChildren(gates(await explain(run.name, text())));
      } catch (error) {
        body.replaceChildren(failure(error));
      }
      button.disabled = false;
      if (document.activeElement === document.body) button.focus(); // it lost the focus when it was disabled
    } }, words("show"));
    return element("section", { class: "card", "aria-label": run.name },
      element("header", {}, element("h2", {}, words("inside_help", { run: run.name })), button), body);
  })));
}

function gates(found) {
  const names = Object.keys(found.gates ?? {});
  if (!names.length) return element("p", { class: "quiet" }, words("no_gates"));
  const tokens = (found.tokens ?? found.characters).map(pieceText);
  const canvas = element("canvas", { role: "img" });
  const range = element("p", { class: "quiet" });
  const choice = element("select", { onchange: draw }, names.map((name) => element("option", {}, name)));
  function draw() {
    const states = found.gates[choice.value]; // (steps, units)
    // Not Math.min(...values): a text of many units has more values than a call takes.
    const values = states.flat();
    const low = values.reduce((least, value) => Math.min(least, value), 0);
    const high = values.reduce((most, value) => Math.max(most, value), 1e-6);
    canvas.width = states.length;
    canvas.height = states[0].length;
    canvas.setAttribute("aria-label", choice.value);
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    states.forEach((units, step) => units.forEach((value, unit) => {
      const place = 4 * (unit * canvas.width + step);
      const share = (value - low) / (high - low);
      pixels.data.set([250 - 214 * share, 250 - 162 * share, 250 - 53 * share, 255], place);
    }));
    context.putImageData(pixels, 0, 0);
    range.textContent = words("gate_help", { low: low.toFixed(2), high: high.toFixed(2) });
  }
  draw();
  return element("div", {}, element("label", {}, words("gate"), " ", choice), element("p", { class: "tokens" }, tokens.join("")), canvas, range);
}
