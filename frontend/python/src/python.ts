// Python as the page uses it: starts the worker that runs it, sends it cells, stops and restarts it.

import type { CommMessage, FromWorker, Output, PageInfo, Status, ToWorker } from "./protocol.js";
import { absolute } from "./dom.js";

export type State = "off" | "loading" | "ready" | "busy" | "failed";

export interface Listener {
  /** `loaded` is the fraction of Python that has been loaded, or null if it is unknown. */
  state(state: State, message: string, loaded: number | null): void;
  output(output: Output): void;
  comm(message: CommMessage): void;
  solved(names: readonly string[]): void;
  restarted(): void;
}

interface PendingRun { readonly run: number; readonly done: (status: Status) => void }

const STOP_TIMEOUT = 2000; // milliseconds that a cell has to stop after an interrupt; then its worker is terminated

export class Python {
  private worker: Worker | undefined;
  private pending: PendingRun[] = [];
  private completions = new Map<number, (completion: { start: number; names: readonly (readonly [string, string])[] }) => void>();
  private count = 0;
  private interrupt: Uint8Array | null = null;
  private component = "";
  private bytes = 0;
  state: State = "off";

  constructor(private readonly info: PageInfo, private readonly listener: Listener, private readonly solved: () => readonly string[]) {}

  start(): void {
    if (this.worker) return;
    this.setState("loading", "Loading Python …");
    const worker = new Worker(absolute(`${this.info.book}worker.js`), { type: "module", name: "Python" });
    this.worker = worker;
    this.bytes = 0;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
    worker.onerror = (event) => {
      if (this.worker !== worker) return;
      this.fail(event.message || "the worker could not be loaded");
    };
    // Only with cross-origin isolation can a cell be interrupted without losing the variables.
    this.interrupt = globalThis.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
    this.send({ type: "start", pyodide: absolute(this.info.pyodide), lock: this.info.lock ? absolute(this.info.lock) : "", book: absolute(this.info.book), solved: this.solved(), interrupt: this.interrupt });
  }

  /** Runs a cell. With `example` the value of each expression in it is shown, as at Python's prompt. */
  run(source: string, name: string, example = false): Promise<Status> {
    this.start();
    const run = ++this.count;
    return new Promise((done) => {
      this.pending.push({ run, done });
      if (this.state !== "loading") this.setState("busy", "Running …");
      this.send({ type: "run", run, source, name, example });
    });
  }

  /** Stops the running cell: by an interrupt if the page is isolated, otherwise by a new worker. */
  stop(): void {
    if (this.state !== "busy") return;
    if (!this.interrupt) {
      this.restart("Stopped. The variables are gone: “Run all above” brings them back.");
      return;
    }
    this.interrupt[0] = 2;
    const stuck = this.pending[0]?.run;
    setTimeout(() => {
      if (stuck !== undefined && this.pending[0]?.run === stuck) this.restart("Stopped. The variables are gone: “Run all above” brings them back.");
    }, STOP_TIMEOUT);
  }

  /** Replaces the worker by a new one, so all variables are gone; shows `message` when Python is ready again. */
  restart(message = "Python was restarted. All variables are gone."): void {
    this.worker?.terminate();
    this.worker = undefined;
    const pending = this.pending.splice(0);
    this.endCompletions();
    this.listener.restarted();
    pending.forEach(({ done }) => done("stopped"));
    this.restartMessage = message;
    this.start();
  }
  private restartMessage = "";

  comm(id: string, data: object, buffers: readonly Uint8Array[] = []): void {
    if (this.worker) this.send({ type: "comm", comm: id, data: JSON.stringify(data), buffers });
  }

  complete(line: string): Promise<{ start: number; names: readonly (readonly [string, string])[] }> {
    if (this.state !== "ready") return Promise.resolve({ start: line.length, names: [] });
    const request = ++this.count;
    return new Promise((done) => {
      this.completions.set(request, done);
      this.send({ type: "complete", request, line });
    });
  }

  /** Answers the completions that a lost worker will not answer: there are no names. */
  private endCompletions(): void {
    this.completions.forEach((done) => done({ start: 0, names: [] }));
    this.completions.clear();
  }

  private send(message: ToWorker): void {
    this.worker?.postMessage(message);
  }

  private setState(state: State, message: string): void {
    this.state = state;
    this.listener.state(state, message, null);
  }

  private fail(message: string): void {
    const event = this.state === "loading" ? "Python did not start" : "Python stopped unexpectedly";
    this.worker?.terminate();
    this.worker = undefined;
    this.pending.splice(0).forEach(({ done }) => done("error"));
    this.endCompletions();
    this.setState("failed", `${event}: ${message}`);
  }

  private receive(message: FromWorker): void {
    switch (message.type) {
      case "loading":
        if (message.bytes >= 0) this.bytes = message.bytes;
        else this.component = message.component;
        this.progress();
        break;
      case "ready": {
        const text = this.restartMessage || `Python ${message.python} is ready.`;
        this.restartMessage = "";
        if (this.pending.length) this.setState("busy", "Running …");
        else this.setState("ready", text);
        break;
      }
      case "failed":
        this.fail(message.message);
        break;
      case "done": {
        const first = this.pending.shift();
        this.listener.solved(message.solved);
        if (!this.pending.length) this.setState("ready", "Ready.");
        first?.done(message.status);
        break;
      }
      case "completed":
        this.completions.get(message.request)?.(message);
        this.completions.delete(message.request);
        break;
      case "comm_open": case "comm_msg": case "comm_close":
        this.listener.comm(message);
        break;
      default:
        this.listener.output(message);
    }
  }

  private progress(): void {
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    const total = this.component === "matplotlib" ? "" : ` of ${megabytes(this.info.bytes)}`;
    const line = this.component ? `Loading ${this.component} … ${megabytes(this.bytes)}${total} MB` : "Starting Python …";
    const loaded = this.component ? Math.min(1, this.bytes / this.info.bytes) : null;
    if (this.state === "loading") this.listener.state("loading", line, loaded);
    else if (this.component) this.listener.state("busy", line, null);
    else if (this.pending.length) this.listener.state("busy", "Running …", null);
  }
}
