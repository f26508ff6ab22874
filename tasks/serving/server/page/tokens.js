// A line of tokens of which one can be pointed at, with the pointer, a finger or the arrow keys.

import { element } from "./dom.js";

/**
 * Returns the line. Exactly one token is in the order of the Tab key.
 *
 * texts: the tokens; decorate: token index -> attributes; point: called with the index, or null.
 */
export function tokenLine(texts, label, decorate, point) {
  let current = 0;
  const items = texts.map((text, index) => element("button", {
    type: "button", class: "token", tabindex: index ? "-1" : "0", ...decorate(index),
    onpointerenter: () => show(index), onpointerleave: leave, onfocus: () => show(index), onblur: leave,
    onclick: () => show(index),
  }, text));
  function show(index) {
    items[current].setAttribute("aria-current", "false");
    items[current].tabIndex = -1;
    current = index;
    items[current].tabIndex = 0;
    items[current].setAttribute("aria-current", "true");
    point(index);
  }
  function leave() {
    if (items.includes(document.activeElement)) return;
    items[current].setAttribute("aria-current", "false");
    point(null);
  }
  function move(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -items.length, End: items.length };
    if (!(event.key in steps)) return;
    event.preventDefault();
    items[Math.min(items.length - 1, Math.max(0, current + steps[event.key]))].focus();
  }
  return element("div", { class: "tokens", role: "group", "aria-label": label, onkeydown: move }, items);
}
