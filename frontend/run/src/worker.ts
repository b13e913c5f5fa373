// The worker: loads Pyodide, NumPy and the book's own Python, then runs cells one after the other.

import type { FromWorker, ToWorker } from "./protocol.js";

interface Proxy {
  toJs(options?: { dict_converter?: (entries: Iterable<[string, unknown]>) => unknown }): unknown;
  destroy(): void;
}
interface Kernel {
  connect(post: (message: Proxy) => void): void;
  run(source: string, name: string): Promise<string>;
  comm(id: string, data: string, buffers: unknown): void;
  complete(line: string): Proxy;
  progress(solved?: unknown): Proxy;
}
interface Pyodide {
  readonly version: string;
  loadPackage(names: readonly string[], options: object): Promise<unknown>;
  loadPackagesFromImports(code: string, options: object): Promise<unknown>;
  unpackArchive(data: ArrayBuffer, format: string, options: { extractDir: string }): void;
  pyimport(name: string): Kernel;
  runPython(code: string): unknown;
  toPy(value: unknown): unknown;
  setInterruptBuffer(buffer: Uint8Array): void;
}
interface Loader {
  loadPyodide(options: object): Promise<Pyodide>;
}

const scope = self as unknown as { postMessage(message: FromWorker): void; onmessage: ((event: MessageEvent<ToWorker>) => void) | null; fetch: typeof fetch };
const say = (message: FromWorker): void => scope.postMessage(message);
const QUIET = { messageCallback: () => undefined, errorCallback: () => undefined };

let pyodide: Pyodide | undefined;
let kernel: Kernel | undefined;
let interrupt: Uint8Array | null = null;
let queue: Promise<void> = Promise.resolve();
const early: ToWorker[] = []; // what came before Python was ready

/** Every byte that the interpreter fetches is counted, for the progress line. */
function countBytes(): void {
  const plain = scope.fetch.bind(self);
  let bytes = 0;
  scope.fetch = async (input, init) => {
    const answer = await plain(input, init);
    if (!answer.body || !answer.ok) return answer;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        say({ type: "loading", what: "", bytes });
        controller.enqueue(chunk);
      },
    });
    return new Response(answer.body.pipeThrough(counter), { headers: answer.headers, status: answer.status });
  };
}

async function start(message: ToWorker & { type: "start" }): Promise<void> {
  countBytes();
  const doing = (what: string): void => say({ type: "loading", what, bytes: -1 });
  doing("Python");
  const book = fetch(`${message.book}book.zip`).then((answer) => {
    if (!answer.ok) throw new Error(`${message.book}book.zip: ${answer.status}`);
    return answer.arrayBuffer();
  });
  book.catch(() => undefined); // told below
  const { loadPyodide } = (await import(`${message.pyodide}pyodide.mjs`)) as Loader;
  const made = await loadPyodide({
    indexURL: message.pyodide,
    packages: ["numpy"],
    env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1" },
    stdout: () => undefined,
    stderr: () => undefined,
  });
  doing("nnlib");
  made.unpackArchive(await book, "zip", { extractDir: "/book" });
  made.runPython("import sys; sys.path.insert(0, '/book')");
  kernel = made.pyimport("page_kernel");
  kernel.connect((proxy) => {
    const plain = proxy.toJs({ dict_converter: Object.fromEntries }) as FromWorker;
    proxy.destroy();
    say(plain);
  });
  kernel.progress(made.toPy(message.solved)).destroy();
  made.runPython("import nnlib");
  interrupt = message.interrupt;
  if (interrupt) made.setInterruptBuffer(interrupt);
  pyodide = made;
  say({ type: "ready", python: String(made.runPython("import platform; platform.python_version()")) });
}

async function run(message: ToWorker & { type: "run" }): Promise<void> {
  let status = "error";
  try {
    if (interrupt) interrupt[0] = 0;
    // matplotlib and what it needs come when a cell first asks for them
    if (/\b(matplotlib|pyplot|course\.style|PIL)\b/.test(message.source)) await loadPictures();
    status = await kernel!.run(message.source, message.name);
  } catch (error) {
    say({ type: "error", kind: "Error", message: String(error), hint: "Restart Python.", frames: [], whole: String(error) });
  }
  const solved = kernel!.progress();
  say({ type: "done", run: message.run, status: status as "ok", solved: solved.toJs() as string[] });
  solved.destroy();
}

let pictures: Promise<unknown> | undefined;
function loadPictures(): Promise<unknown> {
  if (!pictures) {
    say({ type: "loading", what: "matplotlib", bytes: -1 });
    pictures = pyodide!.loadPackage(["matplotlib"], QUIET).then(() => say({ type: "loading", what: "", bytes: -1 }));
  }
  return pictures;
}

function handle(message: ToWorker): void {
  if (message.type === "run") {
    queue = queue.then(() => run(message));
  } else if (message.type === "comm") {
    const buffers = pyodide!.toPy(message.buffers);
    kernel!.comm(message.comm, message.data, buffers);
  } else if (message.type === "complete") {
    const found = kernel!.complete(message.line);
    const { start, names } = found.toJs({ dict_converter: Object.fromEntries }) as { start: number; names: [string, string][] };
    found.destroy();
    say({ type: "completed", ask: message.ask, start, names });
  }
}

scope.onmessage = ({ data }) => {
  if (data.type === "start") {
    start(data).then(
      () => early.splice(0).forEach(handle),
      (error: unknown) => say({ type: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  } else if (pyodide) {
    handle(data);
  } else {
    early.push(data);
  }
};
