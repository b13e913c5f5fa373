// The source files of a bundle, and the banner with their hash.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FRONTEND = dirname(fileURLToPath(import.meta.url));

/** Every file below a folder, as paths relative to frontend/ with forward slashes. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(FRONTEND, path).split(sep).join("/")];
  });
}

/** sha256 over `name NUL length NUL bytes` of a workspace's sources; tests/bundles.py computes the same. */
function hashOfSources(workspace) {
  const names = [...filesBelow(join(FRONTEND, workspace, "src")), `${workspace}/build.mjs`, "package-lock.json", "sources.mjs"];
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const hash = createHash("sha256");
  for (const name of names) {
    const bytes = readFileSync(join(FRONTEND, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** The first line of each file that is built from a workspace. */
export const banner = (name, workspace) =>
  `/* ${name}, built from frontend/${workspace}/ by npm run build; sources sha256 ${hashOfSources(workspace)} */`;

/** Prints the size of a bundle. */
export function report(name, path) {
  const code = readFileSync(path);
  const kB = (bytes) => `${(bytes.length / 1000).toFixed(1)} kB`;
  console.log(`${name}: ${kB(code)}, ${kB(gzipSync(code, { level: 9 }))} gzipped`);
}
