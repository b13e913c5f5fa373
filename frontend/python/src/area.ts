// The output of a cell (or of an Output widget): text, pictures, tables, widgets, errors.

import { cleaned } from "./clean.js";
import { element, isRecord } from "./dom.js";
import { type Failure, MAX_OUTPUT, type MimeBundle, type Output } from "./protocol.js";

/** What an output needs of the page around it. */
export interface OutputContext {
  /** Shows a widget in `host`; false if there is none with that id. */
  widget(id: string, host: HTMLElement): boolean;
  /** The alternative text of pictures. */
  readonly alt: string;
  /** Puts the cursor on a line of a cell that a traceback names. */
  show(cell: string, line: number): void;
}

const VIEW = "application/vnd.jupyter.widget-view+json";
const PAUSE = 30; // milliseconds from printing to the next update of the page
const ANSI = /\u001b\[[0-9;]*m/g;

declare global {
  // the page's own MathJax, which typesets the prose
  var MathJax: { typesetPromise?(elements: readonly HTMLElement[]): Promise<unknown> } | undefined;
}

/** LaTeX, typeset as in the prose: MathJax looks for delimiters in elements of the class `math`. */
function typeset(latex: string): HTMLElement {
  const body = latex.trim().replace(/^\$\$?|\$\$?$/g, "");
  const root = element("div", { class: "output math notranslate nohighlight tex2jax_process mathjax_process" }, `\\[${body}\\]`);
  // after the element has been put into the page, where its size is known
  queueMicrotask(() => void globalThis.MathJax?.typesetPromise?.([root]).catch(() => undefined));
  return root;
}

/**
 * The text that one stream printed, in a box that scrolls to its end. However many lines arrive, the box is updated at
 * most once in PAUSE milliseconds. Python limits the text of a cell; an Output widget, which many calls fill, shows the
 * end of its text.
 */
class StreamOutput {
  readonly root: HTMLElement;
  private readonly pre: HTMLElement;
  private text = "";
  private timer = 0;

  constructor(readonly name: "stdout" | "stderr") {
    this.pre = element("pre", { tabindex: "0", role: "group", "aria-label": name === "stderr" ? "Messages" : "Printed" });
    this.root = element("div", { class: `output stream ${name}`, "data-kind": name }, this.pre);
  }

  add(text: string): void {
    this.text += text.replace(ANSI, "");
    if (!this.timer) this.timer = setTimeout(() => this.show(), PAUSE);
  }

  show(): void {
    this.cancelUpdate();
    // a carriage return starts its line again, as progress bars expect
    if (this.text.includes("\r")) this.text = this.text.replace(/\r\n/g, "\n").replace(/^.*\r(?!$)/gm, "");
    if (this.text.length > 2 * MAX_OUTPUT) this.text = `… (the beginning is left out)\n${this.text.slice(-MAX_OUTPUT)}`;
    const { pre } = this;
    const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 4;
    pre.textContent = this.text;
    if (atEnd) pre.scrollTop = pre.scrollHeight;
  }

  cancelUpdate(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }
}

export class OutputArea {
  readonly root = element("div", { class: "nn-run-output cell_output docutils container" });
  private last: StreamOutput | null = null; // the stream's text, if the last output is one
  private readonly displays = new Map<string, HTMLElement>(); // the key is the display id
  private clearing = false; // whether the next output replaces all earlier ones

  constructor(private readonly context: OutputContext) {}

  clear(): void {
    this.last?.cancelUpdate();
    this.root.replaceChildren();
    this.last = null;
    this.clearing = false;
  }

  get empty(): boolean {
    return !this.root.hasChildNodes();
  }

  add(output: Output): void {
    if (output.type === "clear") {
      if (output.wait) this.clearing = true;
      else this.clear();
      return;
    }
    if (this.clearing) this.clear();
    if (output.type === "stream") this.stream(output.name, output.text);
    else {
      this.flush();
      this.last = null;
      if (output.type === "error") this.root.append(this.failure(output));
      else if (output.type === "display" && output.id && this.displays.has(output.id)) this.displays.get(output.id)!.replaceChildren(...this.rendered(output.data));
      else if (output.type === "display" && output.update) return;
      else {
        const host = element("div", { class: "output" }, ...this.rendered(output.data));
        host.dataset["plain"] = String(output.data["text/plain"] ?? "");
        host.dataset["kind"] = output.type;
        if (output.type === "display" && output.id) this.displays.set(output.id, host);
        this.root.append(host);
      }
    }
  }

  /** Shows at once what was printed last, for example when the cell has ended. */
  flush(): void {
    this.last?.show();
  }

  private stream(name: "stdout" | "stderr", text: string): void {
    if (this.last?.name !== name) {
      this.flush();
      this.last = new StreamOutput(name);
      this.root.append(this.last.root);
    }
    this.last.add(text);
  }

  private rendered(data: MimeBundle): (Node | string)[] {
    const view = data[VIEW];
    if (isRecord(view) && typeof view["model_id"] === "string") {
      const host = element("div", { class: "nn-mounted" });
      if (this.context.widget(view["model_id"], host)) return [host];
    }
    for (const mime of ["image/png", "image/jpeg"]) {
      const picture = data[mime];
      if (typeof picture === "string") return [element("img", { src: `data:${mime};base64,${picture.replace(/\s/g, "")}`, alt: this.context.alt })];
    }
    const html = data["text/html"], svg = data["image/svg+xml"];
    if (typeof html === "string") return [element("div", { class: "output text_html" }, ...cleaned(html, "text/html"))];
    if (typeof svg === "string") return cleaned(svg, "image/svg+xml");
    const latex = data["text/latex"];
    if (typeof latex === "string" && globalThis.MathJax?.typesetPromise) return [typeset(latex)];
    const text = data["text/plain"] ?? data["text/markdown"] ?? latex ?? "";
    return [element("div", { class: "output text_plain" }, element("pre", { tabindex: "0", role: "group", "aria-label": "Result" }, String(text).replace(ANSI, "")))];
  }

  private failure(error: Failure): HTMLElement {
    const root = element("div", { class: "nn-run-error", role: "group", "aria-label": "Error" });
    root.dataset["kind"] = "error";
    root.append(element("p", { class: "nn-run-message" }, element("strong", {}, error.kind), error.message ? `: ${error.message}` : ""));
    if (error.hint) root.append(element("p", { class: "nn-run-hint" }, error.hint));
    const list = element("ol", { class: "nn-run-frames" });
    let skipped = 0;
    const showSkipped = (): void => {
      if (skipped) list.append(element("li", { class: "nn-run-inside" }, skipped === 1 ? "one step inside a package" : `${skipped} steps inside packages`));
      skipped = 0;
    };
    for (const [i, frame] of error.frames.entries()) {
      if (frame.cell === undefined) {
        // lines inside packages teach little, except the last one, which raised the error
        if (i === error.frames.length - 1) list.append(element("li", { class: "nn-run-inside" }, `raised in ${frame.file ?? "?"}, line ${frame.line ?? "?"}: `, element("code", {}, frame.code.trim())));
        else skipped += 1;
        continue;
      }
      showSkipped();
      const line = frame.line ?? 1, cell = frame.cell;
      const link = element("button", { type: "button", class: "nn-run-link" }, `${cell}, line ${line}`);
      link.addEventListener("click", () => this.context.show(cell, line));
      const inFunction = frame.function && frame.function !== "<module>" ? ` in ${frame.function}` : "";
      const code = element("pre", {}, frame.code);
      if (frame.caret && frame.caret[1] > frame.caret[0]) {
        const [from, to] = frame.caret;
        code.replaceChildren(frame.code.slice(0, from), element("mark", {}, frame.code.slice(from, to) || " "), frame.code.slice(to));
      }
      list.append(element("li", {}, link, inFunction, code));
    }
    showSkipped();
    if (list.hasChildNodes()) root.append(list);
    root.append(element("details", { class: "nn-run-traceback" }, element("summary", {}, "The whole traceback"), element("pre", {}, error.traceback)));
    return root;
  }
}
