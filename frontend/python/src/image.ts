// The image: Python's unpacked and compiled files, stored by the browser as one file, from which later visits start.

/** The part of Emscripten's file system that is used here. */
export interface Files {
  mkdirTree(path: string): void;
  writeFile(path: string, data: Uint8Array, options?: { canOwn?: boolean }): void;
  readFile(path: string): Uint8Array<ArrayBuffer>;
  readdir(path: string): string[];
  stat(path: string): { mode: number };
  isDir(mode: number): boolean;
  analyzePath(path: string): { exists: boolean };
}

interface Header {
  readonly packages: Readonly<Record<string, string>>; // Pyodide's `loadedPackages`
  readonly files: readonly (readonly [path: string, start: number, size: number])[];
}

export interface Image {
  readonly packages: Readonly<Record<string, string>>;
  /** The archive of the standard library with the compiled modules. */
  readonly stdlib: Uint8Array<ArrayBuffer>;
  write(files: Files): void;
}

const CACHE = "nnlib-python"; // also the service worker's, which deletes the images of older books (sw.ts)
// The version of Python is that of the Pyodide in _ext/runtime.lock.json; a test compares them.
const ROOTS = ["/lib/python3.12/site-packages", "/book", "/home/pyodide/.matplotlib"];
const STDLIB = "/tmp/stdlib.zip"; // page_image.py makes it

/** The address under which the image is stored: one for each edition of the book and of Pyodide. */
const addressOf = (book: string, pyodide: string): string => `${book}image?${new URLSearchParams({ of: pyodide })}`;

/** The stored image; undefined if there is none or the browser stores nothing. */
export async function loadImage(book: string, pyodide: string): Promise<Image | undefined> {
  if (typeof caches === "undefined") return undefined;
  try {
    const response = await (await caches.open(CACHE)).match(addressOf(book, pyodide));
    return response && parseImage(await response.arrayBuffer());
  } catch {
    return undefined; // storage is off
  }
}

/** The image in a stored file, which begins with the length of its header and the header. */
function parseImage(data: ArrayBuffer): Image {
  const length = new DataView(data).getUint32(0, true);
  const { packages, files } = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as Header;
  const bytes = (start: number, size: number): Uint8Array<ArrayBuffer> => new Uint8Array(data, 4 + length + start, size);
  const [, start, size] = files.find(([path]) => path === STDLIB)!;
  return {
    packages,
    stdlib: bytes(start, size),
    write(system) {
      const folders = new Set<string>();
      for (const [path, start, size] of files) {
        if (path === STDLIB) continue;
        const folder = path.slice(0, path.lastIndexOf("/"));
        if (!folders.has(folder)) system.mkdirTree(folder);
        folders.add(folder);
        system.writeFile(path, bytes(start, size), { canOwn: true });
      }
    },
  };
}

/** Deletes the stored image. */
export async function deleteImage(book: string, pyodide: string): Promise<void> {
  await (await caches.open(CACHE)).delete(addressOf(book, pyodide));
}

/** Stores Python's files as an image. */
export async function storeImage(book: string, pyodide: string, system: Files, packages: Readonly<Record<string, string>>): Promise<void> {
  const files: [string, number, number][] = [];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  const add = (path: string): void => {
    const data = system.readFile(path);
    files.push([path, offset, data.length]);
    parts.push(data);
    offset += data.length;
  };
  const walk = (folder: string): void => {
    for (const name of system.readdir(folder)) {
      const path = `${folder}/${name}`;
      if (name === "." || name === "..") continue;
      if (system.isDir(system.stat(path).mode)) walk(path);
      else add(path);
    }
  };
  add(STDLIB);
  for (const root of ROOTS) if (system.analyzePath(root).exists) walk(root);
  const header: Header = { packages, files };
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, headerBytes.length, true);
  await (await caches.open(CACHE)).put(addressOf(book, pyodide), new Response(new Blob([length, headerBytes, ...parts])));
}
