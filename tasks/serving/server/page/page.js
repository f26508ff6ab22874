// The page: it asks the server for its models and shows a panel for each task that their signatures have.

import { listModels, listRuns } from "./api.js";
import { classification } from "./classification.js";
import { element } from "./dom.js";
import { generation } from "./generation.js";
import { failure } from "./panel.js";
import { requests } from "./requests.js";
import { translation } from "./translation.js";
import { setLanguage, words } from "./words.js";

const PANELS = { classification, generation, translation };
const memories = {}; // what was typed in each panel
let opened = null;
let panel = null;

const [tabs, panels, status] = ["tabs", "panels", "status"].map((id) => document.getElementById(id));
const [language, theme] = ["language", "theme"].map((id) => document.getElementById(id));

/** Returns the loaded versions, each with the signature that answers a text, in the order of their names. */
function loadedVersions(models) {
  return models.flatMap((model) => model.versions.filter((version) => version.signatures).map((version) => ({
    name: model.name, version: version.version, signatures: version.signatures,
  }))).sort((a, b) => a.name.localeCompare(b.name) || b.version - a.version);
}

function withKind(models, kind) {
  return models.map((model) => ({
    ...model,
    answers: ["serving_default", ...Object.keys(model.signatures)].find((name) => model.signatures[name]?.kind === kind),
  })).filter((model) => model.answers);
}

function show(models, runs) {
  document.title = words("title");
  for (const part of document.querySelectorAll("[data-t]")) part.textContent = words(part.dataset.t);
  status.hidden = models.loaded.length > 0 && !models.failed.length;
  status.textContent = models.loaded.length ? words("not_loaded", { names: models.failed.join(", ") }) : words("no_models");
  const kinds = Object.keys(PANELS).filter((kind) => withKind(models.loaded, kind).length);
  if (models.loaded.length) kinds.push("requests");
  tabs.hidden = kinds.length === 0;
  opened = kinds.includes(opened) ? opened : kinds[0];
  tabs.replaceChildren(...kinds.map((kind) => element("button", {
    type: "button", role: "tab", id: `tab-${kind}`, "aria-controls": "panel", "aria-selected": String(kind === opened),
    tabindex: kind === opened ? "0" : "-1", onclick: () => open(kind), onkeydown: move,
  }, words(kind))));
  function open(kind) {
    opened = kind;
    for (const tab of tabs.children) {
      tab.setAttribute("aria-selected", String(tab.id === `tab-${kind}`));
      tab.tabIndex = tab.id === `tab-${kind}` ? 0 : -1;
    }
    panel?.stop();
    memories[kind] ??= {};
    panel = kind === "requests"
      ? requests(models.loaded, memories[kind])
      : PANELS[kind](withKind(models.loaded, kind), runs.filter((run) => run.kind === kind), memories[kind]);
    panels.replaceChildren(element("div", { role: "tabpanel", id: "panel", "aria-labelledby": `tab-${kind}` }, panel.element));
    panel.shown();
  }
  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = kinds[(kinds.indexOf(opened) + step + kinds.length) % kinds.length];
    open(next);
    document.getElementById(`tab-${next}`).focus();
  }
  if (opened) open(opened);
}

async function start() {
  language.value = localStorage.getItem("language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
  theme.value = localStorage.getItem("theme") ?? "";
  document.documentElement.dataset.theme = theme.value;
  setLanguage(language.value);
  document.querySelectorAll("[data-t]").forEach((part) => { part.textContent = words(part.dataset.t); });
  theme.addEventListener("change", () => {
    document.documentElement.dataset.theme = theme.value;
    localStorage.setItem("theme", theme.value);
  });
  let models, runs;
  try {
    const listed = await listModels();
    runs = await listRuns();
    const failed = listed.filter((model) => !model.versions.some((version) => version.signatures));
    models = { loaded: loadedVersions(listed), failed: failed.map((model) => model.name) };
  } catch (error) {
    status.replaceChildren(failure(error));
    return;
  }
  language.addEventListener("change", () => {
    setLanguage(language.value);
    localStorage.setItem("language", language.value);
    show(models, runs);
  });
  show(models, runs);
}

start();
