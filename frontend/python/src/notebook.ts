// The page as a notebook, with the reader's edits in it.

import { absolute, isRecord } from "./dom.js";
import type { PageInfo } from "./protocol.js";

/** Saves the page's notebook as a file; an edited cell loses its outputs. */
export async function downloadNotebook(info: PageInfo, address: string, sourceOf: (id: string) => string): Promise<void> {
  const response = await fetch(absolute(address));
  if (!response.ok) throw new Error(`the notebook could not be read (${response.status})`);
  const notebook: unknown = await response.json();
  const cells = isRecord(notebook) && Array.isArray(notebook["cells"]) ? (notebook["cells"] as unknown[]) : [];
  const ids = new Set(info.cells.map((cell) => cell.id));
  for (const cell of cells) {
    if (!isRecord(cell) || cell["cell_type"] !== "code" || typeof cell["id"] !== "string" || !ids.has(cell["id"])) continue;
    const source = sourceOf(cell["id"]);
    const original = Array.isArray(cell["source"]) ? cell["source"].join("") : cell["source"];
    if (original === source) continue;
    cell["source"] = source;
    cell["outputs"] = [];
    cell["execution_count"] = null;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(notebook, null, 1)], { type: "application/x-ipynb+json" }));
  link.download = `${info.page.split("/").pop() ?? "chapter"}.ipynb`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
