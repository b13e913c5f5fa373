// Bundles frontend/python/src into _ext/built/: the button, the runner, the worker, the service worker.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { banner, report } from "../sources.mjs";

const folder = dirname(fileURLToPath(import.meta.url));
const target = join(folder, "..", "..", "_ext", "built");
// The format of each entry point: the button is a classic script, because it must show its message at file:// too, and so
// is the service worker; the others are modules.
const ENTRIES = { run: "iife", runner: "esm", worker: "esm", sw: "iife" };

mkdirSync(target, { recursive: true });
const js = banner("The page's Python", "python");
for (const [name, format] of Object.entries(ENTRIES)) {
  const outfile = join(target, `${name}.js`);
  await build({
    entryPoints: [join(folder, "src", `${name}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    format,
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    banner: { js },
    logLevel: "warning",
  });
  report(`_ext/built/${name}.js`, outfile);
}
