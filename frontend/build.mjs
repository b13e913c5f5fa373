// Bundles frontend/src/index.ts into nnlib/live/static/live.js, stamped with the hash of its sources.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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

/** The module as one function that its own code can quote (frontend/src/travel.ts), and its exports. */
function selfQuoting(code) {
  const found = /export\s*\{([^{}]*)\}\s*;?\s*$/.exec(code);
  if (!found) throw new Error("the bundle does not end in its exports");
  const pairs = found[1].split(",").map((part) => part.trim().split(" as ")).map(([local, name = local]) => ({ local, name }));
  const made = pairs.map(({ local, name }) => `${name}:${local}`).join(",");
  const taken = pairs.map(({ name }) => (name === "default" ? "default:figure" : name)).join(",");
  const given = pairs.map(({ name }) => (name === "default" ? "figure as default" : name)).join(",");
  return `function nnlibLive(){"use strict";${code.slice(0, found.index)}return{${made}}}\nconst{${taken}}=nnlibLive();\nexport{${given}};\n`;
}

mkdirSync(dirname(target), { recursive: true });
const built = await build({
  entryPoints: [join(here, "src", "index.ts")],
  outfile: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  loader: { ".css": "text", ".svg": "text" },
  write: false,
  logLevel: "warning",
});
const banner = `/* nnlib.live, built from frontend/ by npm run build; sources sha256 ${hashOfSources()} */`;
writeFileSync(target, `${banner}\n${selfQuoting(built.outputFiles[0].text)}`);
copyFileSync(join(here, "src", "live.css"), join(dirname(target), "live.css"));
const code = readFileSync(target);
const kB = (bytes) => `${(bytes.length / 1000).toFixed(1)} kB`;
console.log(`nnlib/live/static/live.js: ${kB(code)}, ${kB(gzipSync(code, { level: 9 }))} gzipped`);
