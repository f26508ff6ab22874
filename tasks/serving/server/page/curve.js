// Curves of probabilities after each token.

import { element, svg } from "./dom.js";

const WIDTH = 440, HEIGHT = 140, LEFT = 34, TOP = 8, BOTTOM = 6;

/**
 * Returns a picture with its legend, and a function that moves the marker to a token.
 *
 * names: names of the curves; values: (tokens, curves), probabilities.
 */
export function curves(names, values, label) {
  const x = (token) => LEFT + ((WIDTH - LEFT - 8) * (token + 0.5)) / values.length;
  const y = (share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  const grid = [0, 0.5, 1].flatMap((share) => [
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - 8, y1: y(share), y2: y(share) }),
    svg("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, String(share)),
  ]);
  const lines = names.map((_, curve) => svg("polyline", {
    class: `curve curve-${curve}`, points: values.map((row, token) => `${x(token)},${y(row[curve])}`).join(" "),
  }));
  const dots = values.length > 1 ? [] : names.map((_, curve) => svg("circle", {
    class: `curve curve-${curve}`, cx: x(0), cy: y(values[0][curve]), r: 3,
  }));
  const marker = svg("line", { class: "marker", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const picture = svg(
    "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...grid, ...lines, ...dots, marker,
  );
  const legend = element("div", { class: "legend" }, names.map((name, curve) =>
    element("span", {}, element("i", { class: `swatch-${curve}` }), name)));
  const mark = (token) => {
    marker.setAttribute("visibility", token === null ? "hidden" : "visible");
    if (token !== null) {
      marker.setAttribute("x1", x(token));
      marker.setAttribute("x2", x(token));
    }
  };
  return { element: element("div", {}, picture, legend), mark };
}
