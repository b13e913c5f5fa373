// A figure in the page: title, controls, view, caption, tools; and its ties to the widget's model.

import { predict, quiz } from "./ask.js";
import { axes } from "./axes.js";
import { makeControl } from "./controls.js";
import { dag } from "./dag.js";
import { element, setText } from "./dom.js";
import { images } from "./images.js";
import { makeLink, restoreFromLink } from "./link.js";
import { network } from "./network.js";
import { download, savePicture } from "./picture.js";
import { figurePage } from "./save.js";
import { type Raw, Scene } from "./scene.js";
import { sequence } from "./sequence.js";
import { checkSpec, type InputValue, type PartSpec, type Spec } from "./spec.js";
import { Trainer, trainingControls } from "./trainer.js";
import type { Builder, Context, View } from "./view.js";
import { button, column, control, formula, meter, readout, row, toggles } from "./views.js";

/** The part of anywidget's model that a figure uses; the static page has its own. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
  save_changes(): void;
}

const builders: Record<string, Builder> = {
  axes, row, column, readout, meter, formula, button, control, images, network, dag, sequence, predict, quiz, toggles,
};

const PAPER = 640; // pixels: what an A4 or Letter page leaves between its margins

/** A message in a figure's place: never a blank. */
export function problem(host: HTMLElement, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  host.append(element("div", { class: "nn-figure nn-broken", role: "alert" },
    element("strong", {}, "This figure cannot be shown."), " ", message));
}

export function renderFigure(model: Model, host: HTMLElement): () => void {
  let spec: Spec;
  try {
    spec = checkSpec(model.get("spec"));
  } catch (error) {
    problem(host, error);
    return () => undefined;
  }
  try {
    return build(spec, model, host);
  } catch (error) {
    host.replaceChildren();
    problem(host, error);
    return () => undefined;
  }
}

function build(spec: Spec, model: Model, host: HTMLElement): () => void {
  const scene = new Scene(spec);
  adopt(scene, model.get("values"));
  const trainer = spec.training ? new Trainer(scene, spec.training) : undefined;
  const placed = new Set<string>();
  let trainingPlaced = false;

  const context: Context = {
    scene,
    placed: (name) => void placed.add(name),
    build(part: PartSpec): View {
      let view: View | undefined;
      if (part.kind === "input-control") {
        view = makeControl(scene.input((part as PartSpec & { name: string }).name), scene);
      } else if (part.kind === "training") {
        trainingPlaced = true;
        view = trainer && trainingControls(trainer);
      } else {
        const make = builders[part.kind];
        if (!make) throw new Error(`This page cannot draw "${part.kind}": the figure may come from a newer nnlib.`);
        view = make(part, context);
      }
      const made = view ?? { root: element("div"), update: () => undefined };
      if (!part.when) return made;
      let shown = true;
      return {
        root: made.root,
        update() {
          const now = scene.shown(part.when);
          made.root.hidden = !now;
          if (now && !shown) made.resize?.();
          shown = now;
          if (now) made.update();
        },
        resize: () => made.resize?.(),
      };
    },
  };

  const main = context.build(spec.view);
  const controls: View[] = [];
  for (const [name, input] of scene.inputs) {
    if (placed.has(name)) continue;
    const view = makeControl(input, scene);
    if (view) controls.push(view);
  }
  if (trainer && !trainingPlaced) controls.push(trainingControls(trainer));
  const panel = element("div", { class: "nn-controls" }, ...controls.map((c) => c.root));
  const failure = element("p", { class: "nn-failure", role: "alert", hidden: true });
  const said = element("span", { class: "nn-said", role: "status" });
  const content = element("div", { class: "nn-content" });
  if (spec.title) content.append(element("div", { class: "nn-title" }, spec.title));
  if (controls.length) content.append(panel);
  content.append(failure, main.root);
  const isQuiz = scene.inputs.size === 0;
  const root = element("figure", { class: "nn-figure", "data-name": spec.name, role: "group", "aria-label": spec.title ?? spec.name }, content);
  if (spec.alt) root.append(element("p", { class: "nn-spoken" }, spec.alt));
  if (spec.caption) root.append(element("figcaption", { class: "nn-caption" }, spec.caption));

  // keeps JupyterLab from taking what is focused's arrow keys and letters for its own commands
  root.addEventListener("focusin", (event) => {
    if (event.target instanceof Element) event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });

  // a slide show around the figure must not turn the page at a key that has moved something in it
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) event.stopPropagation();
  });

  const tool = (label: string, act: () => void): HTMLButtonElement => {
    const made = element("button", { type: "button", class: "nn-tool" }, label);
    made.addEventListener("click", act);
    return made;
  };
  const say = (message: string, milliseconds = 2500): void => {
    setText(said, message);
    setTimeout(() => setText(said, ""), milliseconds);
  };
  const tools = element("div", { class: "nn-toolbar" },
    tool("Reset", () => {
      scene.reset();
      trainer?.rewind(spec.training!.seed);
      say("Reset.");
    }),
    tool("Copy link", () => {
      const link = makeLink(scene);
      root.dataset["link"] = link;
      const fallback = (): void => {
        history.replaceState(null, "", link);
        say("The link is in the address bar.");
      };
      if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => say("Link copied."), fallback);
      else fallback();
    }),
    tool("Save SVG", () => void savePicture(content, spec.name, "svg")),
    tool("Save PNG", () => void savePicture(content, spec.name, "png").catch((e: unknown) => say(String(e)))),
    tool("Save figure", () => {
      download(new Blob([figurePage(scene)], { type: "text/html" }), `${spec.name}.html`);
      say(`${spec.name}.html opens without the book and without a network.`, 6000);
    }),
    said);
  if (!isQuiz) root.append(tools);
  host.append(root);
  scene.home = root;

  // ---- following the scene, the model, the size and the theme

  const views = [...controls, main];
  const update = (): void => {
    for (const view of views) view.update();
    failure.hidden = scene.error === null;
    setText(failure, scene.error ?? "");
  };
  scene.onChange(update);
  const follow = (): boolean => {
    const found = restoreFromLink(scene);
    if (found === "damaged") {
      say("The link to this figure is damaged; it stands as it begins.", 20_000);
    }
    return found !== "other";
  };
  const show = (): void => {
    const tall = root.offsetHeight > window.innerHeight;
    root.scrollIntoView({ block: tall ? "start" : "center" });
  };
  const restored = follow();
  const moved = (): void => {
    if (!follow()) return;
    scene.flush();
    show();
  };
  window.addEventListener("hashchange", moved);
  // paper is narrower than most windows: the figure is laid out for it, and back again
  const layOut = (width: string): void => {
    if (host.style.maxWidth === width) return;
    host.style.maxWidth = width;
    resize();
    update();
  };
  const onPaper = (): void => layOut(`${PAPER}px`);
  const offPaper = (): void => layOut("");
  const paper = matchMedia("print");
  const turnPage = (): void => (paper.matches ? onPaper() : offPaper());
  paper.addEventListener("change", turnPage);
  window.addEventListener("beforeprint", onPaper);
  window.addEventListener("afterprint", offPaper);
  // What a browser puts back into controls after Back or a reload, the figure overrules: at once,
  // and in the next frame, since WebKit resets the controls of a kept page only after this event.
  const shownAgain = (): void => {
    update();
    requestAnimationFrame(update);
  };
  window.addEventListener("pageshow", shownAgain);

  let quiet = false;
  let pending = 0;
  const scalars = [...scene.inputs.values()].filter((input) => !(input.raw instanceof Float64Array)).map((input) => input.name);
  scene.onSave(() => {
    const names = scene.takeTouched();
    if (quiet) return;
    const values = Object.fromEntries([...scene.inputs].map(([name, input]) => [name, input.plain()]));
    quiet = true;
    model.set("values", values);
    for (const name of names) if (scalars.includes(name) && model.get(name) !== undefined) model.set(name, values[name]);
    quiet = false;
    if (!pending) {
      pending = window.setTimeout(() => {
        pending = 0;
        model.save_changes();
      }, 60);
    }
  });
  const hear = (): void => {
    if (quiet) return;
    adopt(scene, model.get("values"));
  };
  model.on("change:values", hear);
  const single = scalars.map((name) => {
    const listener = (): void => {
      const value = model.get(name);
      if (!quiet && value !== undefined) scene.set(name, value as InputValue);
    };
    model.on(`change:${name}`, listener);
    return { name, listener };
  });

  let size = -1;
  const resize = (): void => {
    for (const view of views) view.resize?.();
  };
  const watcher = new ResizeObserver(() => {
    const now = Math.round(host.clientWidth);
    if (now === size || now === 0) return;
    size = now;
    resize();
  });
  watcher.observe(host);
  const theme = new MutationObserver(() => requestAnimationFrame(resize));
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-mode", "class"] });
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light", "class"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", resize);

  scene.compute();
  resize();
  update();
  size = Math.round(host.clientWidth);
  // placement inside the page may only be known in the next frame
  requestAnimationFrame(() => {
    resize();
    root.dataset["ready"] = "true";
    if (restored) show();
  });
  scenes.set(root, scene);

  return () => {
    scene.dispose();
    window.removeEventListener("hashchange", moved);
    window.removeEventListener("pageshow", shownAgain);
    paper.removeEventListener("change", turnPage);
    window.removeEventListener("beforeprint", onPaper);
    window.removeEventListener("afterprint", offPaper);
    watcher.disconnect();
    theme.disconnect();
    dark.removeEventListener("change", resize);
    model.off("change:values", hear);
    for (const { name, listener } of single) model.off(`change:${name}`, listener);
    root.remove();
  };
}

/** The scenes of the page's figures, for tests and for the console. */
export const scenes = new WeakMap<Element, Scene>();

function adopt(scene: Scene, values: unknown): void {
  if (typeof values !== "object" || values === null) return;
  for (const [name, value] of Object.entries(values)) scene.set(name, value as Raw);
}
