// Elements of the page, made with text nodes alone: what a model answers is never read as HTML.

import { words } from "./words.js";

/** Returns an element; attributes that begin with "on" are listeners, and those that are false or null are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Returns an SVG element. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

function setAttributes(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key.startsWith("--")) made.style.setProperty(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
}

/** Returns rows of a name, a bar and a percentage; with `choose`, each name is a button. A row's color is a CSS class. */
export function bars(rows, choose = null) {
  return element("div", { class: "bars" }, rows.flatMap(([name, share, color = "class-0"]) => [
    choose === null
      ? element("span", {}, name)
      : element("button", { type: "button", onclick: () => choose(name) }, visible(name) || words("end")),
    element("div", { "aria-hidden": "true" }, element("div", { class: `bar ${color}`, style: `width: ${(100 * share).toFixed(2)}%` })),
    element("span", { class: "share" }, percent(share)),
  ]));
}

/** Returns a share as a percentage with one decimal. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** Returns a text in which blanks and line ends can be seen. */
export function visible(text) {
  return text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}

/** Returns a SentencePiece piece as text: the sign of a word's beginning is a blank. */
export function pieceText(piece) {
  return piece.replaceAll("\u2581", " ");
}

/** Returns a function that waits until it was not called for some milliseconds. */
export function debounced(milliseconds, call) {
  let timer = null;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), milliseconds);
  };
}
