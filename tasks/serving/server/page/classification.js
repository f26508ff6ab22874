// The panel of classification: the label, its probability after each token, and what each token contributes.

import { predict } from "./api.js";
import { curves } from "./curve.js";
import { bars, element, percent, pieceText } from "./dom.js";
import { signatureOfKind, textPanel } from "./text_panel.js";
import { tokenLine } from "./tokens.js";
import { words } from "./words.js";

// Curves and colors of more classes cannot be told apart.
const MAX_CLASSES = 3;

/** Returns the panel; see `textPanel`. */
export function classification(models, runs, memory) {
  return textPanel(models, runs, memory, "classified", words("text"), async (model, text, body, signal) => {
    const { probabilities, classes, label, probability } = await predict(model, model.answers, { text: [text] }, signal);
    const rows = classes[0].map((name, index) => [name, probabilities[0][index]]).sort((a, b) => b[1] - a[1]);
    // The most probable class has the first color, as have the tokens with a positive contribution to it.
    const colored = rows.length <= MAX_CLASSES ? rows.length : 1;
    body.append(
      element("p", { class: "answer" }, `${label[0]} `, element("span", { class: "quiet" }, percent(probability[0]))),
      bars(rows.slice(0, 8).map((row, place) => [...row, place < colored ? `class-${place}` : "other"])),
    );
    const explains = signatureOfKind(model, "explanation");
    if (!explains) return;
    body.append(explanation(await predict(model, explains, { text: [text] }, signal), rows.slice(0, colored).map(([name]) => name)));
  });
}

function explanation(found, drawn) {
  const tokens = found.tokens[0].filter((token) => token !== "");
  if (!tokens.length) return element("p", { class: "quiet" }, words("nothing"));
  const [label, classes] = [found.label[0], found.classes[0]];
  const contributions = found.contributions[0].slice(0, tokens.length);
  const after = found.probabilities_after[0].slice(0, tokens.length);
  const largest = Math.max(...contributions.map(Math.abs), 1e-6);
  const of = classes.indexOf(label);
  const picture = curves(drawn, after.map((row) => drawn.map((name) => row[classes.indexOf(name)])), words("after"));
  const detail = element("p", { class: "quiet", role: "status" }, "\u00a0");
  const line = tokenLine(tokens.map(pieceText), words("tokens"), (index) => ({
    "data-sign": contributions[index] < 0 ? "-" : "+",
    "--weight": Math.abs(contributions[index]) / largest,
  }), (index) => {
    picture.mark(index);
    detail.textContent = index === null ? "\u00a0" : words("token_detail", {
      token: pieceText(tokens[index]).trim(), label, contribution: signed(contributions[index]),
      probability: after[index][of].toFixed(3),
    });
  });
  return element("div", {}, element("h3", {}, words("tokens")), line, detail,
    element("p", { class: "quiet" }, words("tokens_help", { label })),
    element("h3", {}, words("after")), picture.element);
}

function signed(value) {
  return `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
}
