// Shows the widgets of the running Python in the page: live figures, boxes, usual controls, anywidgets.

import { OutputArea, type OutputContext } from "./area.js";
import { cleaned } from "./clean.js";
import { type KernelModel, type Models, reference } from "./comms.js";
import { absolute, element, isRecord } from "./dom.js";

interface Module { default?: { render?: (context: { model: KernelModel; el: HTMLElement }) => unknown } }
declare global {
  // the figures' script, which most pages have loaded already
  var nnlibLive: Module | undefined;
}

type Renderer = (model: KernelModel, host: HTMLElement) => void;

export class Widgets {
  private figures: Promise<Module> | undefined;
  readonly areas = new Map<KernelModel, OutputArea[]>();

  constructor(private readonly models: Models, private readonly live: string, private readonly context: OutputContext) {}

  show(id: string, host: HTMLElement): boolean {
    const model = this.models.get(id);
    if (!model) return false;
    this.build(model, host);
    return true;
  }

  private build(model: KernelModel, host: HTMLElement): void {
    const name = String(model.get("_model_name") ?? "");
    if (isRecord(model.get("spec")) && isRecord(model.get("values"))) void this.figure(model, host);
    else if (name === "AnyModel") void this.anywidget(model, host);
    else if (/Box(Model)?$|^(Accordion|Tab|Stack)Model$/.test(name) && Array.isArray(model.get("children"))) this.box(model, host, name);
    else if (name === "OutputModel") this.output(model, host);
    else (controls[name] ?? unsupported)(model, host);
  }

  private async figure(model: KernelModel, host: HTMLElement): Promise<void> {
    this.figures ??= globalThis.nnlibLive ? Promise.resolve(globalThis.nnlibLive) : script(absolute(this.live)).then(() => globalThis.nnlibLive ?? {});
    try {
      (await this.figures).default?.render?.({ model, el: host });
    } catch (error) {
      host.append(element("p", { role: "alert" }, `This figure cannot be shown: ${String(error)}`));
    }
  }

  private async anywidget(model: KernelModel, host: HTMLElement): Promise<void> {
    const code = String(model.get("_esm") ?? "");
    const css = String(model.get("_css") ?? "");
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    try {
      if (css) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      }
      const module = (await import(url)) as Module & { render?: unknown };
      await module.default?.render?.({ model, el: host });
    } catch (error) {
      host.append(element("p", { role: "alert" }, `This widget cannot be shown: ${String(error)}`));
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  private box(model: KernelModel, host: HTMLElement, name: string): void {
    const root = element("div", { class: name.startsWith("HBox") ? "nn-run-row nn-row nn-box" : "nn-run-column nn-column nn-box" });
    const fill = (): void => {
      root.replaceChildren();
      for (const child of model.get("children") as unknown[]) {
        const slot = element("div");
        root.append(slot);
        const childModel = this.models.get(reference(child) ?? "");
        if (childModel) this.build(childModel, slot);
      }
    };
    fill();
    model.on("change:children", fill);
    host.append(root);
  }

  private output(model: KernelModel, host: HTMLElement): void {
    const area = new OutputArea(this.context);
    this.areas.set(model, [...(this.areas.get(model) ?? []), area]);
    host.append(area.root);
  }
}

function script(address: string): Promise<void> {
  return new Promise((done, failed) => {
    const tag = element("script", { src: address });
    tag.addEventListener("load", () => done());
    tag.addEventListener("error", () => failed(new Error(`${address} could not be loaded`)));
    document.head.append(tag);
  });
}

// ---- the controls that a notebook uses most ------------------------------------------------------

let count = 0;

function labelled(model: KernelModel, host: HTMLElement, input: HTMLElement, ...more: readonly Node[]): void {
  const id = `nn-run-widget-${++count}`;
  input.id = id;
  const label = element("label", { for: id }, String(model.get("description") ?? ""));
  if (!label.textContent) input.setAttribute("aria-label", String(model.get("_model_name")).replace("Model", ""));
  model.on("change:description", () => void (label.textContent = String(model.get("description") ?? "")));
  const disabled = (): void => void input.toggleAttribute("disabled", Boolean(model.get("disabled")));
  disabled();
  model.on("change:disabled", disabled);
  host.append(element("div", { class: "nn-run-control" }, label, input, ...more));
}

function change(model: KernelModel, name: string, value: unknown): void {
  model.set(name, value);
  model.save_changes();
}

const slider: Renderer = (model, host) => {
  const input = element("input", { type: "range" });
  const readout = element("output");
  const update = (): void => {
    for (const name of ["min", "max", "step"]) input.setAttribute(name, String(model.get(name) ?? "any"));
    input.value = String(model.get("value"));
    readout.textContent = String(model.get("value"));
  };
  update();
  model.on("change", update);
  input.addEventListener("input", () => change(model, "value", Number(input.value)));
  labelled(model, host, input, ...(model.get("readout") === false ? [] : [readout]));
};

const inputField = (kind: "text" | "number", integer = false): Renderer => (model, host) => {
  const input = element("input", { type: kind });
  const update = (): void => {
    if (kind === "number") for (const name of ["min", "max", "step"]) if (model.get(name) != null) input.setAttribute(name, String(model.get(name)));
    input.value = String(model.get("value") ?? "");
  };
  update();
  model.on("change", update);
  input.addEventListener("change", () => {
    if (kind === "text") change(model, "value", input.value);
    else if (input.value !== "") change(model, "value", integer ? Math.trunc(Number(input.value)) : Number(input.value));
  });
  labelled(model, host, input);
};

const select: Renderer = (model, host) => {
  const input = element("select");
  const update = (): void => {
    const labels = (model.get("_options_labels") ?? []) as unknown[];
    input.replaceChildren(...labels.map((text, i) => element("option", { value: String(i) }, String(text))));
    input.selectedIndex = Number(model.get("index") ?? -1);
  };
  update();
  model.on("change", update);
  input.addEventListener("change", () => change(model, "index", input.selectedIndex));
  labelled(model, host, input);
};

const checkbox: Renderer = (model, host) => {
  const input = element("input", { type: "checkbox" });
  const update = (): void => void (input.checked = Boolean(model.get("value")));
  update();
  model.on("change:value", update);
  input.addEventListener("change", () => change(model, "value", input.checked));
  labelled(model, host, input);
};

const button: Renderer = (model, host) => {
  const control = element("button", { type: "button", class: "nn-run-button" });
  const update = (): void => {
    control.textContent = String(model.get("description") ?? "");
    control.disabled = Boolean(model.get("disabled"));
  };
  update();
  model.on("change", update);
  control.addEventListener("click", () => model.send({ event: "click" }));
  host.append(control);
};

const textOf = (markup: boolean): Renderer => (model, host) => {
  const root = element("div");
  const update = (): void => {
    const text = String(model.get("value") ?? "");
    root.replaceChildren(...(markup ? cleaned(text, "text/html") : [text]));
  };
  update();
  model.on("change:value", update);
  host.append(root);
};

const unsupported: Renderer = (model, host) => {
  const name = String(model.get("_model_name") ?? "widget").replace("Model", "");
  host.append(element("p", { class: "nn-run-hint" }, `${name} cannot be shown in the page; JupyterLab shows it.`));
};

const controls: Readonly<Record<string, Renderer>> = {
  IntSliderModel: slider, FloatSliderModel: slider,
  IntTextModel: inputField("number", true), BoundedIntTextModel: inputField("number", true),
  FloatTextModel: inputField("number"), BoundedFloatTextModel: inputField("number"), TextModel: inputField("text"), TextareaModel: inputField("text"),
  DropdownModel: select, SelectModel: select, RadioButtonsModel: select, ToggleButtonsModel: select,
  CheckboxModel: checkbox, ToggleButtonModel: checkbox, ButtonModel: button,
  LabelModel: textOf(false), HTMLModel: textOf(true), HTMLMathModel: textOf(true),
};
