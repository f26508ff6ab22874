// The panel of translation: the translation and its attention.

import { predict } from "./api.js";
import { element, percent, pieceText } from "./dom.js";
import { signatureOfKind, textPanel } from "./text_panel.js";
import { tokenLine } from "./tokens.js";
import { words } from "./words.js";

/** Returns the panel; see `textPanel`. */
export function translation(models, runs, memory) {
  return textPanel(models, runs, memory, "translated", words("sentence"), async (model, text, body, signal) => {
    if (!text.trim()) {
      body.append(element("p", { class: "quiet" }, words("nothing")));
      return;
    }
    const aligns = signatureOfKind(model, "attention");
    const found = await predict(model, aligns ?? model.answers, { text: [text] }, signal);
    body.append(element("p", { class: "answer" }, found.translation[0]));
    if (aligns) body.append(attention(found));
  });
}

function attention(found) {
  const sources = found.source_pieces[0].filter((piece) => piece !== "");
  const targets = found.target_pieces[0].filter((piece) => piece !== "");
  if (!targets.length) return "";
  const weights = targets.map((_, target) => found.attention[0][target].slice(0, sources.length));
  const marks = sources.map((piece) => element("span", { class: "token" }, pieceText(piece)));
  const point = (target) => marks.forEach((mark, source) => {
    const weight = target === null ? 0 : weights[target][source];
    mark.classList.toggle("attended", weight > 0);
    mark.style.setProperty("--weight", weight);
    mark.title = weight ? percent(weight) : "";
  });
  const table = element("table", { class: "matrix" },
    element("thead", {}, element("tr", {}, element("td", {}), sources.map((piece) => element("th", { scope: "col" }, pieceText(piece).trim())))),
    element("tbody", {}, targets.map((piece, target) => element("tr", {}, element("th", { scope: "row" }, pieceText(piece).trim()),
      weights[target].map((weight) => element("td", { "--weight": weight, title: percent(weight) },
        element("span", { class: "unseen" }, percent(weight))))))));
  return element("div", {}, element("h3", {}, words("attention")),
    element("p", { class: "tokens" }, marks), tokenLine(targets.map(pieceText), words("attention"), () => ({}), point),
    element("p", { class: "quiet" }, words("attention_help")),
    element("details", {}, element("summary", {}, words("attention_table")), element("div", { class: "scroll", tabindex: "0" }, table)));
}
