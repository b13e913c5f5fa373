// The page after "Run the code" (run.ts) was pressed: editors in the cells, outputs below them, one bar of buttons.

import { OutputArea, type OutputContext } from "./area.js";
import { type KernelModel, Models } from "./comms.js";
import { actionButton, element } from "./dom.js";
import { makeEditor } from "./editor.js";
import { downloadNotebook } from "./notebook.js";
import { otherWays, kindOfCell } from "./other-ways.js";
import type { CellInfo, Output, PageInfo, Status } from "./protocol.js";
import { Python, type State } from "./python.js";
import { Edits, rememberSolved, solvedExercises } from "./store.js";
import { Widgets } from "./widgets.js";
import type { EditorView } from "@codemirror/view";

interface Cell {
  readonly info: CellInfo;
  readonly name: string; // as tracebacks show it
  readonly root: HTMLElement | null; // null for a cell that the page does not show
  readonly example: boolean; // whether it is an example of the reference: text with prompts and results until it first runs
  readonly area: OutputArea;
  editor?: EditorView;
  state?: HTMLElement;
  original?: HTMLElement; // the output that is stored in the book
  ran: boolean;
}

/** Tags of the cells that "Run all" leaves out: those that need PyTorch, and those that only check the numbers in the text. */
const LEFT_OUT = new Set(["skip-execution", "checks-text"]);
const CHECK = /course\.check\(\s*["']([^"']+)["']/g;

export class Runner {
  private readonly cells: Cell[];
  private readonly edits: Edits;
  private readonly python: Python;
  private readonly models: Models;
  private running: Cell | undefined;
  private stopping = false;
  private bar!: { root: HTMLElement; status: HTMLElement; stop: HTMLButtonElement; count: HTMLElement; progressBar: HTMLProgressElement; failed: HTMLElement };

  constructor(private readonly info: PageInfo, host: HTMLElement) {
    this.edits = new Edits(info.page);
    this.python = new Python(info, {
      state: (state, message, loaded) => this.stateChanged(state, message, loaded),
      output: (output) => this.output(output),
      comm: (message) => this.models.receive(message),
      solved: (names) => {
        rememberSolved(names);
        this.countSolved();
      },
      restarted: () => {
        this.models.clear();
        for (const cell of this.cells) this.mark(cell, "");
      },
    }, solvedExercises);
    this.models = new Models((comm, data) => this.python.comm(comm, data));
    this.cells = info.cells.map((cell, i) => this.prepare(cell, i));
    this.buildBar(host);
    this.python.start(); // it loads in its worker while the editors are made here
    for (const cell of this.cells) if (cell.root) this.addControls(cell);
  }

  // ---- building the page's controls

  private prepare(info: CellInfo, i: number): Cell {
    const context: OutputContext = {
      alt: info.alt ?? "A picture that the code drew",
      widget: (id, host) => this.widgets(context).show(id, host),
      show: (name, line) => this.goToLine(name, line),
    };
    const example = info.tags.includes("example");
    const node = document.getElementById(`cell-${info.id}`);
    return { info, name: `${kindOfCell(this.info)} ${i + 1}`, root: node && example ? wrapInCell(node) : node, example, area: new OutputArea(context), ran: false };
  }

  private sharedWidgets: Widgets | undefined;
  private widgets(context: OutputContext): Widgets {
    return (this.sharedWidgets ??= new Widgets(this.models, this.info.live, context));
  }

  private buildBar(host: HTMLElement): void {
    const status = element("span", { class: "nn-run-status", role: "status" });
    const progressBar = element("progress", { class: "nn-run-meter", max: "1", "aria-label": "Loading Python" });
    const stop = actionButton("Stop", () => this.stop(), { disabled: true });
    const count = element("span", { class: "nn-run-count" });
    const { notebook } = this.info;
    const buttons = element("div", { class: "nn-run-buttons" },
      actionButton("Run all", () => void this.runMany(this.cells)),
      stop,
      actionButton("Restart", () => this.python.restart()),
      actionButton("Reset page", () => this.resetPage()));
    if (notebook !== undefined)
      buttons.append(actionButton("Download notebook", () => void downloadNotebook(this.info, notebook, (id) => this.source(this.byId(id))).catch((e: unknown) => this.showMessage(String(e)))));
    const failed = element("div", { class: "nn-run-failed" }, actionButton("Try again", () => this.python.restart("")), otherWays(this.info));
    failed.hidden = true;
    const root = element("div", { class: "nn-run-bar", role: "region", "aria-label": "Python" }, buttons, progressBar, status, count, failed);
    host.replaceChildren(root);
    this.bar = { root, status, stop, count, progressBar, failed };
    this.countSolved();
  }

  /** Adds buttons and an output area to a cell of the page, and an editor unless the cell is an example. */
  private addControls(cell: Cell): void {
    const input = cell.root!.querySelector<HTMLElement>(".cell_input");
    if (!input) return;
    const original = [...cell.root!.children].find((c): c is HTMLElement => c.classList.contains("cell_output"))
      ?? cell.root!.querySelector<HTMLElement>(".cell_output") ?? undefined;
    if (original) cell.original = original;
    // a page of the reference has up to 150 examples: each gets its editor when it is first run
    if (!cell.example || this.edits.get(cell.info.id) !== undefined) this.openEditor(cell);
    const state = element("span", { class: "nn-run-state", role: "status" });
    cell.state = state;
    const tools = element("div", { class: "nn-run-tools", role: "group", "aria-label": cell.name },
      actionButton("Run", () => void this.run(cell), { "aria-label": `Run ${cell.name}`, title: "Ctrl+Enter, or Shift+Enter" }),
      actionButton("Run all above", () => void this.runMany(this.cells.slice(0, this.cells.indexOf(cell)).filter((c) => !c.ran)), { "aria-label": `Run all above ${cell.name}` }),
      actionButton("Reset", () => this.reset(cell), { "aria-label": `Reset ${cell.name}`, class: "nn-run-button nn-run-reset" }),
      element("span", { class: "nn-run-name", "aria-hidden": "true" }, cell.name), state);
    const following = original && original.parentElement === cell.root ? original : null;
    cell.root!.insertBefore(tools, following);
    cell.root!.insertBefore(cell.area.root, following);
    cell.area.root.hidden = true;
    cell.root!.classList.add("nn-run-cell");
    cell.root!.classList.toggle("nn-run-edited", this.edits.get(cell.info.id) !== undefined);
  }

  /** Replaces the cell's text by an editor. */
  private openEditor(cell: Cell): void {
    const input = cell.root?.querySelector<HTMLElement>(".cell_input");
    if (!input || cell.editor) return;
    for (const child of [...input.children] as HTMLElement[]) child.hidden = true;
    const host = element("div", { class: "nn-run-editor" });
    input.append(host);
    cell.editor = makeEditor(host, this.source(cell), `Code of ${cell.name}`, {
      run: () => void this.run(cell),
      runAndNext: () => {
        void this.run(cell);
        this.focusAfter(cell);
      },
      changed: (source) => this.changed(cell, source),
      complete: (line) => this.python.complete(line),
    });
  }

  /** Shows an example with its prompts and results again. */
  private closeEditor(cell: Cell): void {
    const host = cell.editor?.dom.parentElement;
    cell.editor?.destroy();
    delete cell.editor;
    host?.remove();
    for (const child of cell.root!.querySelectorAll<HTMLElement>(".cell_input > *")) child.hidden = false;
  }

  private byId(id: string): Cell {
    return this.cells.find((cell) => cell.info.id === id)!;
  }
  private source(cell: Cell): string {
    return this.edits.get(cell.info.id) ?? cell.info.source;
  }

  // ---- running

  private async run(cell: Cell): Promise<Status> {
    const status = await this.runMany([cell], true);
    // the check after an exercise runs with it
    const next = this.cells[this.cells.indexOf(cell) + 1];
    if (status === "ok" && cell.info.tags.includes("exercise") && next?.info.tags.includes("check")) return this.runMany([next], true);
    return status;
  }

  private lastRun: Promise<unknown> = Promise.resolve(); // cells wait for it before they run
  /** Runs cells one after the other, up to the first error; with `explicit`, also those that "Run all" leaves out. */
  private runMany(cells: readonly Cell[], explicit = false): Promise<Status> {
    const chosen = explicit ? cells : cells.filter((cell) => !cell.info.tags.some((tag) => LEFT_OUT.has(tag)));
    for (const cell of chosen) this.mark(cell, "waiting");
    const sequence = this.lastRun.then(async () => {
      this.stopping = false;
      let status: Status = "ok";
      for (const cell of chosen) {
        if (status === "ok" && !this.stopping) status = await this.runOne(cell);
        else this.mark(cell, "");
      }
      return this.stopping ? "stopped" : status;
    });
    this.lastRun = sequence.catch(() => undefined);
    return sequence;
  }

  private async runOne(cell: Cell): Promise<Status> {
    this.running = cell;
    this.models.capturing = undefined;
    this.openEditor(cell);
    // the old output stays until the cell has begun, so that the page does not jump
    cell.area.clear();
    if (cell.original) cell.original.hidden = true;
    cell.area.root.hidden = false;
    this.mark(cell, "running");
    const began = performance.now();
    const status = await this.python.run(this.source(cell), cell.name, cell.example);
    if (status === "ok") cell.ran = true;
    const seconds = (performance.now() - began) / 1000;
    cell.area.flush();
    cell.area.root.hidden = cell.area.empty;
    this.mark(cell, status, seconds);
    this.running = undefined;
    return status;
  }

  private stop(): void {
    this.stopping = true;
    this.python.stop();
  }

  private output(output: Output): void {
    const capturing: KernelModel | undefined = this.models.capturing;
    const areas = capturing && this.sharedWidgets?.areas.get(capturing);
    if (areas?.length) for (const area of areas) area.add(output);
    else if (this.running) {
      this.running.area.root.hidden = false;
      this.running.area.add(output);
    } else if (output.type === "error") {
      this.showMessage(`${output.kind}: ${output.message}`);
    }
  }

  // ---- messages

  private mark(cell: Cell, state: "" | "waiting" | "running" | Status, seconds = 0): void {
    if (state === "") cell.ran = false;
    const text = { "": "", waiting: "waiting", running: "running …", ok: `done in ${seconds < 0.095 ? Math.max(1, Math.round(seconds * 1000)) + " ms" : seconds.toFixed(1) + " s"}`, error: "error", stopped: "stopped" }[state];
    if (cell.state) cell.state.textContent = text;
    if (cell.root) cell.root.dataset["run"] = state;
  }

  private stateChanged(state: State, message: string, loaded: number | null): void {
    this.bar.root.dataset["state"] = state;
    this.bar.stop.disabled = state !== "busy";
    this.bar.progressBar.hidden = state !== "loading";
    this.bar.failed.hidden = state !== "failed";
    if (loaded === null) this.bar.progressBar.removeAttribute("value");
    else this.bar.progressBar.value = loaded;
    this.showMessage(message);
  }

  private showMessage(message: string): void {
    if (this.bar.status.textContent !== message) this.bar.status.textContent = message;
  }

  private countSolved(): void {
    const names = new Set(this.info.cells.flatMap((cell) => [...cell.source.matchAll(CHECK)].map((m) => m[1] ?? "")));
    if (!names.size) return;
    const solved = new Set(solvedExercises());
    const count = [...names].filter((name) => solved.has(name)).length;
    this.bar.count.textContent = `${count} of ${names.size} exercises solved`;
  }

  private focusAfter(cell: Cell): void {
    const shown = (c: Cell): boolean => (c.editor?.dom ?? (c.example ? c.root : null))?.offsetParent != null;
    const next = this.cells.slice(this.cells.indexOf(cell) + 1).find(shown);
    if (next?.editor) next.editor.focus();
    else next?.root?.querySelector<HTMLElement>(".nn-run-tools button")?.focus();
  }

  private goToLine(name: string, line: number): void {
    const cell = this.cells.find((c) => c.name === name);
    const editor = cell?.editor;
    if (!editor) return;
    for (let fold = editor.dom.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) fold.open = true;
    const position = editor.state.doc.line(Math.min(line, editor.state.doc.lines)).from;
    editor.dispatch({ selection: { anchor: position }, scrollIntoView: true });
    editor.focus();
  }

  // ---- edits

  private changed(cell: Cell, source: string): void {
    const edited = source === cell.info.source ? undefined : source;
    this.edits.set(cell.info.id, edited);
    cell.root?.classList.toggle("nn-run-edited", edited !== undefined);
  }

  private reset(cell: Cell): void {
    const editor = cell.editor;
    if (!editor) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: cell.info.source } });
    this.edits.set(cell.info.id, undefined);
    cell.root?.classList.remove("nn-run-edited");
    cell.area.clear();
    cell.area.root.hidden = true;
    if (cell.original) cell.original.hidden = false;
    if (cell.example) this.closeEditor(cell);
    this.mark(cell, "");
    this.showMessage(`${cell.name} is as in the book.`);
  }

  private resetPage(): void {
    if (this.edits.size && !confirm(`Discard your edits to all ${kindOfCell(this.info)}s on this page?`)) return;
    for (const cell of this.cells) this.reset(cell);
    this.python.restart(`All ${kindOfCell(this.info)}s are as in the book. Python was restarted, so all variables are gone.`);
  }
}

/** Wraps an example of the reference in a cell's markup, which takes over the example's id. */
function wrapInCell(example: HTMLElement): HTMLElement {
  const input = element("div", { class: "cell_input docutils container" });
  const root = element("div", { class: "cell docutils container", id: example.id }, input);
  example.removeAttribute("id");
  example.replaceWith(root);
  input.append(example);
  return root;
}

/** Called when the button is pressed. */
export function start(info: PageInfo, host: HTMLElement): Runner {
  return new Runner(info, host);
}
