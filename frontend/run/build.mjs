// Bundles frontend/run/src into _ext/run/: the button, the runner, the worker, the service worker.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "..", "_ext", "run");
// entry → format: the button is a plain script (it must speak up at file:// too), so is the service
// worker; the others are modules.
const ENTRIES = { run: "iife", runner: "esm", worker: "esm", sw: "iife" };

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(here, path).split(sep).join("/")];
  });
}

/** sha256 over `name NUL length NUL bytes` of every source; tests/run/test_bundle.py redoes it. */
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

mkdirSync(target, { recursive: true });
const banner = `/* The page's Python, built from frontend/run/ by npm run build; sources sha256 ${hashOfSources()} */`;
for (const [name, format] of Object.entries(ENTRIES)) {
  const outfile = join(target, `${name}.js`);
  await build({
    entryPoints: [join(here, "src", `${name}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    format,
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    banner: { js: banner },
    logLevel: "warning",
  });
  const code = readFileSync(outfile);
  const kB = (bytes) => `${(bytes.length / 1000).toFixed(1)} kB`;
  console.log(`_ext/run/${name}.js: ${kB(code)}, ${kB(gzipSync(code, { level: 9 }))} gzipped`);
}
