// The worker: loads Pyodide, NumPy and the book's own Python, then runs cells one after the other.

import { type Files, deleteImage, type Image, loadImage, storeImage } from "./image.js";
import { type FromWorker, MAX_OUTPUT, type ToWorker } from "./protocol.js";
import { reason } from "./reason.js";

interface Proxy {
  toJs(options?: { dict_converter?: (entries: Iterable<[string, unknown]>) => unknown }): unknown;
  destroy(): void;
}
interface Kernel {
  connect(post: (message: Proxy) => void, limit: number): void;
  run(source: string, name: string, example: boolean): Promise<string>;
  comm(id: string, data: string, buffers: unknown): void;
  complete(line: string): Proxy;
  progress(solved?: unknown): Proxy;
}
interface Pyodide {
  readonly version: string;
  readonly FS: Files;
  readonly loadedPackages: Record<string, string>;
  loadPackage(names: readonly string[], options: object): Promise<unknown>;
  loadPackagesFromImports(code: string, options: object): Promise<unknown>;
  unpackArchive(data: ArrayBuffer, format: string, options: { extractDir: string }): void;
  pyimport(name: "page_kernel"): Kernel;
  pyimport(name: "page_image"): { steps(): Iterator<unknown> };
  runPython(code: string): unknown;
  toPy(value: unknown): unknown;
  setInterruptBuffer(buffer: Uint8Array): void;
}
type Start = ToWorker & { type: "start" };
interface Loader {
  loadPyodide(options: object): Promise<Pyodide>;
}

const scope = self as unknown as { postMessage(message: FromWorker): void; onmessage: ((event: MessageEvent<ToWorker>) => void) | null; fetch: typeof fetch };
const send = (message: FromWorker): void => scope.postMessage(message);
const originalFetch: typeof fetch = self.fetch.bind(self);
const QUIET = { messageCallback: () => undefined, errorCallback: () => undefined };

const IDLE = 1000, PAUSE = 4; // milliseconds before the image (of Python's files) is prepared, and between its steps
const IMAGE_STDLIB = new URL("image-stdlib.zip", self.location.href).href; // not a file: the content comes from the image

let pyodide: Pyodide | undefined;
let kernel: Kernel | undefined;
let interrupt: Uint8Array | null = null;
let started: Start | undefined;
let running = 0; // cells that wait or run
let queue: Promise<void> = Promise.resolve();
const earlyMessages: ToWorker[] = []; // messages that arrived before Python was ready

/**
 * Watches what the interpreter fetches: counts the bytes for the progress line, and calls `onFailure` for a
 * file that cannot be loaded, because Pyodide itself would wait forever or go on without the file.
 */
function watchFetches(wasm: string, image: Image | undefined, onFailure: (address: string, checked: boolean) => void): void {
  let bytes = 0;
  scope.fetch = async (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    if (image && address === IMAGE_STDLIB) return new Response(image.stdlib);
    const reportFailure = (): void => onFailure(address, Boolean(init?.integrity));
    const response = await originalFetch(input, init).catch((error: unknown) => {
      reportFailure();
      throw error;
    });
    if (!response.ok) reportFailure();
    // later visits do not download the WebAssembly, so it is not counted; and browsers reuse the code that they compiled
    // from it only if they get their own response
    if (!response.body || !response.ok || (image && address === wasm)) return response;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        send({ type: "loading", component: "", bytes });
        controller.enqueue(chunk);
      },
    });
    response.body.pipeTo(counter.writable).catch(reportFailure);
    return new Response(counter.readable, { headers: response.headers, status: response.status });
  };
}

/** Browsers compile WebAssembly while it loads only if the host sends its Content-Type; otherwise it is compiled afterwards. */
function watchCompiler(onFailure: (error: unknown) => void): void {
  const streaming = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    try {
      const response = await source;
      if (response.headers.get("Content-Type")?.startsWith("application/wasm")) return await streaming(response, imports);
      return await WebAssembly.instantiate(await response.arrayBuffer(), imports);
    } catch (error) {
      setTimeout(() => onFailure(error), 100); // after the message of `watchFetches`, if there is one
      throw error;
    }
  };
}

/** The reason why a file could not be loaded, once that has happened. */
let failureReason: Promise<string> | undefined;

async function start(message: Start): Promise<void> {
  const image = await loadImage(message.book, message.pyodide);
  const failure = new Promise<never>((_, failed) => {
    watchFetches(`${message.pyodide}pyodide.asm.wasm`, image, (address, checked) => {
      failureReason = reason(address, checked, originalFetch);
      void failureReason.then((text) => failed(new Error(text)));
    });
    watchCompiler(failed);
  });
  try {
    await Promise.race([load(message, image), failure]);
  } catch (error) {
    if (image && !failureReason) await deleteImage(message.book, message.pyodide); // it may be damaged: the next try does not use it
    throw failureReason ? new Error(await failureReason) : error;
  }
  if (!image) storeImageLater(message);
}

async function load(message: Start, image: Image | undefined): Promise<void> {
  const report = (component: string): void => send({ type: "loading", component, bytes: -1 });
  report(image ? "" : "Python");
  const book = image ? undefined : fetch(`${message.book}book.zip`).then((response) => response.arrayBuffer());
  book?.catch(() => undefined); // `watchFetches` reports it
  const loader = `${message.pyodide}pyodide.mjs`;
  const { loadPyodide } = (await import(loader).catch(async () => {
    throw new Error(await reason(loader, false, originalFetch));
  })) as Loader;
  const loaded = await loadPyodide({
    indexURL: message.pyodide,
    ...(message.lock ? { lockFileURL: message.lock } : {}),
    ...(image ? { stdLibURL: IMAGE_STDLIB, fsInit: async (files: Files) => image.write(files) } : { packages: ["numpy"] }),
    env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1" },
    stdout: () => undefined,
    stderr: () => undefined,
  });
  if (!image) report("nnlib");
  if (book) loaded.unpackArchive(await book, "zip", { extractDir: "/book" });
  if (image) Object.assign(loaded.loadedPackages, image.packages);
  loaded.runPython("import sys; sys.path.insert(0, '/book')");
  kernel = loaded.pyimport("page_kernel");
  kernel.connect((proxy) => {
    const content = proxy.toJs({ dict_converter: Object.fromEntries }) as FromWorker;
    proxy.destroy();
    send(content);
  }, MAX_OUTPUT);
  kernel.progress(loaded.toPy(message.solved)).destroy();
  loaded.runPython("import nnlib");
  interrupt = message.interrupt;
  if (interrupt) loaded.setInterruptBuffer(interrupt);
  pyodide = loaded;
  started = message;
  send({ type: "ready", python: String(loaded.runPython("import platform; platform.python_version()")) });
}

/** Prepares the image for the next visit in small steps while no cell runs, then stores it. */
function storeImageLater(message: Start): void {
  if (typeof caches === "undefined") return;
  const work = pyodide!.pyimport("page_image").steps();
  const step = (): void => {
    if (running) return void setTimeout(step, IDLE);
    try {
      if (!work.next().done) setTimeout(step, PAUSE);
      else void storeImage(message.book, message.pyodide, pyodide!.FS, pyodide!.loadedPackages).catch(() => undefined);
    } catch {
      // without it the next visit takes a little longer
    }
  };
  setTimeout(step, IDLE);
}

async function run(message: ToWorker & { type: "run" }): Promise<void> {
  let status = "error";
  try {
    if (interrupt) interrupt[0] = 0;
    // matplotlib and the packages that it needs are loaded when a cell first uses them
    if (/\b(matplotlib|pyplot|course\.style|PIL)\b/.test(message.source)) await loadMatplotlibOnce();
    status = await kernel!.run(message.source, message.name, message.example);
  } catch (error) {
    const failure = error instanceof NotLoaded ? error : { kind: "Error", message: String(error), hint: "Restart Python." };
    send({ type: "error", kind: failure.kind, message: failure.message, hint: failure.hint, frames: [], traceback: String(error) });
  }
  const solved = kernel!.progress();
  send({ type: "done", run: message.run, status: status as "ok", solved: solved.toJs() as string[] });
  solved.destroy();
}

class NotLoaded extends Error {
  readonly kind = "matplotlib could not be loaded";
  readonly hint = "Run the cell again to try again.";
}

let matplotlibLoading: Promise<void> | undefined;
function loadMatplotlibOnce(): Promise<void> {
  matplotlibLoading ??= loadMatplotlib().catch((error: unknown) => {
    matplotlibLoading = undefined; // the next cell that needs it tries again
    throw error;
  });
  return matplotlibLoading;
}

async function loadMatplotlib(): Promise<void> {
  if ("matplotlib" in pyodide!.loadedPackages) return;
  send({ type: "loading", component: "matplotlib", bytes: -1 });
  await pyodide!.loadPackage(["matplotlib"], QUIET);
  send({ type: "loading", component: "", bytes: -1 });
  if (!("matplotlib" in pyodide!.loadedPackages)) throw new NotLoaded(await failureReason);
  storeImageLater(started!);
}

function handle(message: ToWorker): void {
  if (message.type === "run") {
    running += 1;
    queue = queue.then(() => run(message)).finally(() => (running -= 1));
  } else if (message.type === "comm") {
    const buffers = pyodide!.toPy(message.buffers);
    kernel!.comm(message.comm, message.data, buffers);
  } else if (message.type === "complete") {
    const proxy = kernel!.complete(message.line);
    const { start, names } = proxy.toJs({ dict_converter: Object.fromEntries }) as { start: number; names: [string, string][] };
    proxy.destroy();
    send({ type: "completed", request: message.request, start, names });
  }
}

scope.onmessage = ({ data }) => {
  if (data.type === "start") {
    start(data).then(
      () => earlyMessages.splice(0).forEach(handle),
      (error: unknown) => send({ type: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  } else if (pyodide) {
    handle(data);
  } else {
    earlyMessages.push(data);
  }
};
