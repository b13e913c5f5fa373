// Bundles frontend/src/index.ts into nnlib/live/static/live.js, stamped with the hash of its sources.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "nnlib", "live", "static", "live.js");

/** Every file below `folder`, as paths relative to frontend/ with forward slashes. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(here, path).split(sep).join("/")];
  });
}

/** sha256 over `name NUL length NUL bytes` of every source; tests/live/test_bundle.py redoes it. */
function hashOfSources() {
  const names = [...filesBelow(join(here, "src")), "package-lock.json", "build.mjs"];
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const hash = createHash("sha256");
  for (const name of names) {
    const bytes = readFileSync(join(here, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

mkdirSync(dirname(target), { recursive: true });
await build({
  entryPoints: [join(here, "src", "index.ts")],
  outfile: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  loader: { ".css": "text", ".svg": "text" },
  banner: { js: `/* nnlib.live, built from frontend/ by npm run build; sources sha256 ${hashOfSources()} */` },
  logLevel: "warning",
});
copyFileSync(join(here, "src", "live.css"), join(dirname(target), "live.css"));
const code = readFileSync(target);
const kB = (bytes) => `${(bytes.length / 1000).toFixed(1)} kB`;
console.log(`nnlib/live/static/live.js: ${kB(code)}, ${kB(gzipSync(code, { level: 9 }))} gzipped`);
