// The messages between the page and its worker, and the data that the build writes into the page.

/** Characters of text that a cell may show: what it prints, its results and its errors together. */
export const MAX_OUTPUT = 100_000;

export interface CellInfo {
  readonly id: string;
  readonly number: number;
  readonly source: string;
  readonly tags: readonly string[];
  readonly alt?: string;
}

/** The page's data, in `<script type="application/json" id="nn-run">`; addresses are relative to the page. */
export interface PageInfo {
  readonly page: string;
  readonly pyodide: string;
  /** The lock with the hashes of Pyodide's packages, if Python comes from another host; its name contains its hash. */
  readonly lock?: string;
  readonly book: string;
  /** Undefined on pages of the reference, where the examples are the cells. */
  readonly notebook?: string;
  readonly live: string;
  readonly root: string;
  readonly lite?: string;
  readonly bytes: number;
  /** The folders of the files in use, which the service worker caches. */
  readonly folders: readonly string[];
  readonly cells: readonly CellInfo[];
}

export interface Frame {
  readonly cell?: string;
  readonly file?: string;
  readonly function?: string;
  readonly line?: number;
  readonly code: string;
  readonly caret?: readonly [number, number];
}

export interface Failure {
  readonly type: "error";
  readonly kind: string;
  readonly message: string;
  readonly hint: string;
  readonly frames: readonly Frame[];
  readonly traceback: string;
}

export type MimeBundle = Readonly<Record<string, unknown>>;

export type Output =
  | { readonly type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "result"; readonly data: MimeBundle }
  | { readonly type: "display"; readonly data: MimeBundle; readonly id: string | null; readonly update: boolean }
  | { readonly type: "clear"; readonly wait: boolean }
  | Failure;

export interface CommMessage {
  readonly type: "comm_open" | "comm_msg" | "comm_close";
  readonly comm: string;
  readonly target: string;
  readonly data: string;
  readonly buffers: readonly Uint8Array[];
}

export type Status = "ok" | "error" | "stopped";

export type FromWorker =
  | Output
  | CommMessage
  | { readonly type: "loading"; readonly component: string; readonly bytes: number }
  | { readonly type: "ready"; readonly python: string }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "done"; readonly run: number; readonly status: Status; readonly solved: readonly string[] }
  | { readonly type: "completed"; readonly request: number; readonly start: number; readonly names: readonly (readonly [string, string])[] };

export type ToWorker =
  | { readonly type: "start"; readonly pyodide: string; readonly lock: string; readonly book: string; readonly solved: readonly string[]; readonly interrupt: Uint8Array | null }
  | { readonly type: "run"; readonly run: number; readonly source: string; readonly name: string; readonly example: boolean }
  | { readonly type: "comm"; readonly comm: string; readonly data: string; readonly buffers: readonly Uint8Array[] }
  | { readonly type: "complete"; readonly request: number; readonly line: string };
