// The models of the running Python's widgets: changes in the page are sent to Python, and changes in Python to the page.

import { isRecord } from "./dom.js";
import type { CommMessage } from "./protocol.js";

export type State = Record<string, unknown>;
export type Listener = (...values: readonly unknown[]) => void;
export type Send = (comm: string, data: object) => void;

/** A widget's model with the methods that anywidget's front ends call; changes are sent to the kernel. */
export class KernelModel {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly changed = new Set<string>();
  readonly widget_manager: { get_model(id: string): Promise<KernelModel> };

  constructor(readonly id: string, readonly state: State, private readonly post: Send, models: Models) {
    this.widget_manager = { get_model: (name) => models.find(name) };
  }
  get(name: string): unknown {
    return this.state[name];
  }
  set(name: string, value: unknown): void {
    if (same(this.state[name], value)) return;
    this.state[name] = value;
    this.changed.add(name);
    this.fire(`change:${name}`, this, value);
    this.fire("change", this);
  }
  on(event: string, listener: Listener): void {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event)!.add(listener);
  }
  off(event?: string | null, listener?: Listener | null): void {
    if (!event) this.listeners.clear();
    else if (!listener) this.listeners.delete(event);
    else this.listeners.get(event)?.delete(listener);
  }
  save_changes(): void {
    if (!this.changed.size) return;
    const state = Object.fromEntries([...this.changed].map((name) => [name, this.state[name]]));
    this.changed.clear();
    this.post(this.id, { method: "update", state, buffer_paths: [] });
  }
  send(content: unknown): void {
    this.post(this.id, { method: "custom", content });
  }
  /** Takes new values from Python: listeners are called, nothing is sent back. */
  applyUpdate(state: State): void {
    const changes = Object.entries(state).filter(([name, value]) => !same(this.state[name], value));
    for (const [name, value] of changes) {
      this.state[name] = value;
      this.changed.delete(name);
    }
    for (const [name, value] of changes) this.fire(`change:${name}`, this, value);
    if (changes.length) this.fire("change", this);
  }
  fire(event: string, ...values: readonly unknown[]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener(...values);
  }
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === "object" && typeof b === "object" && a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));

export const reference = (value: unknown): string | undefined =>
  typeof value === "string" && value.startsWith("IPY_MODEL_") ? value.slice("IPY_MODEL_".length) : undefined;

export class Models {
  private readonly models = new Map<string, KernelModel>();
  /** The Output widget that captures the output now. */
  capturing: KernelModel | undefined;
  onOutputs: ((model: KernelModel) => void) | undefined;

  constructor(private readonly post: Send) {}

  get(id: string): KernelModel | undefined {
    return this.models.get(id);
  }
  async find(id: string): Promise<KernelModel> {
    const model = this.models.get(id);
    if (!model) throw new Error(`no widget ${id}`);
    return model;
  }
  clear(): void {
    this.models.clear();
    this.capturing = undefined;
  }
  receive(message: CommMessage): void {
    if (message.type === "comm_close") return; // the widget stays visible until its cell runs again
    const data: unknown = JSON.parse(message.data);
    if (!isRecord(data)) return;
    const state = isRecord(data["state"]) ? data["state"] : {};
    insertBuffers(state, data["buffer_paths"], message.buffers);
    if (message.type === "comm_open") {
      const model = new KernelModel(message.comm, state, this.post, this);
      this.models.set(message.comm, model);
      this.link(model);
      return;
    }
    const model = this.models.get(message.comm);
    if (!model) return;
    if (data["method"] === "update") {
      model.applyUpdate(state);
      if ("msg_id" in state) this.capturing = state["msg_id"] ? model : this.capturing === model ? undefined : this.capturing;
    } else if (data["method"] === "custom") {
      model.fire("msg:custom", data["content"], message.buffers.map((b) => new DataView(b.buffer, b.byteOffset, b.byteLength)));
    }
  }

  /** Connects the two traits of a jslink or jsdlink, which stay equal without Python. */
  private link(widget: KernelModel): void {
    const name = String(widget.get("_model_name") ?? "");
    if (name !== "LinkModel" && name !== "DirectionalLinkModel") return;
    const [from, to] = [widget.get("source"), widget.get("target")].map((end) => {
      const [ref, trait] = Array.isArray(end) ? (end as unknown[]) : [];
      const model = this.models.get(reference(ref) ?? "");
      return model && typeof trait === "string" ? { model, trait } : undefined;
    });
    if (!from || !to) return;
    const follow = (a: typeof from, b: typeof to): void => {
      const copy = (): void => {
        b.model.set(b.trait, a.model.get(a.trait));
        b.model.save_changes();
      };
      a.model.on(`change:${a.trait}`, copy);
    };
    follow(from, to);
    if (name === "LinkModel") follow(to, from);
    to.model.set(to.trait, from.model.get(from.trait));
    to.model.save_changes();
  }
}

/** Puts the binary parts of a message into the state, at the paths that the message lists. */
function insertBuffers(state: State, paths: unknown, buffers: readonly Uint8Array[]): void {
  if (!Array.isArray(paths)) return;
  for (const [i, path] of (paths as unknown[]).entries()) {
    const buffer = buffers[i];
    if (!Array.isArray(path) || !buffer) continue;
    let parent: unknown = state;
    for (const key of path.slice(0, -1) as (string | number)[]) parent = isRecord(parent) ? parent[String(key)] : Array.isArray(parent) ? (parent as unknown[])[Number(key)] : undefined;
    const last = String(path[path.length - 1]);
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    if (isRecord(parent)) parent[last] = view;
    else if (Array.isArray(parent)) (parent as unknown[])[Number(last)] = view;
  }
}
