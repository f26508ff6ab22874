// Curves of probabilities after each token.

import { element, svg } from "./dom.js";

// The picture is as wide as its card, so a horizontal unit is no pixel. Numbers and lines keep their size.
const WIDTH = 100, HEIGHT = 144, MARGIN = 8;
const SHARES = [1, 0.5, 0];

/**
 * Returns a picture with its legend, and a function that moves the marker to a token.
 *
 * names: names of the curves; values: (tokens, curves), probabilities.
 */
export function curves(names, values, label) {
  const x = (token) => (WIDTH * (token + 0.5)) / values.length;
  const y = (share) => MARGIN + (HEIGHT - 2 * MARGIN) * (1 - share);
  const grid = SHARES.map((share) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(share), y2: y(share) }));
  const lines = names.map((_, curve) => {
    const points = values.map((row, token) => `${x(token)},${y(row[curve])}`);
    // A single token is a point: a line of length zero, whose ends are round.
    const [kind, drawn] = points.length > 1 ? ["", points] : [" point", [...points, ...points]];
    return svg("polyline", { class: `curve class-${curve}${kind}`, points: drawn.join(" ") });
  });
  const marker = svg("line", { class: "marker", y1: MARGIN, y2: HEIGHT - MARGIN, visibility: "hidden" });
  const picture = svg(
    "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    ...grid, ...lines, marker,
  );
  const axis = element("div", { class: "axis", "aria-hidden": "true" }, SHARES.map((share) => element("span", {}, String(share))));
  const legend = element("div", { class: "legend" }, names.map((name, curve) =>
    element("span", {}, element("i", { class: `class-${curve}` }), name)));
  const mark = (token) => {
    marker.setAttribute("visibility", token === null ? "hidden" : "visible");
    if (token !== null) {
      marker.setAttribute("x1", x(token));
      marker.setAttribute("x2", x(token));
    }
  };
  return { element: element("div", {}, element("div", { class: "chart" }, axis, picture), legend), mark };
}
