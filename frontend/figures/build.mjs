// Bundles frontend/figures/src/index.ts into nnlib/live/static/live.js, stamped with the hash of its sources.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { banner, report } from "../sources.mjs";

const FIGURES = dirname(fileURLToPath(import.meta.url));
const target = join(FIGURES, "..", "..", "nnlib", "live", "static", "live.js");

/** Wraps a bundle in one function, whose source its own code can read (src/save.ts), and exports the same names. */
function selfQuoting(code) {
  const exportList = /export\s*\{([^{}]*)\}\s*;?\s*$/.exec(code);
  if (!exportList) throw new Error("the bundle does not end in its exports");
  const pairs = exportList[1].split(",").map((entry) => entry.trim().split(" as ")).map(([local, name = local]) => ({ local, name }));
  const returned = pairs.map(({ local, name }) => `${name}:${local}`).join(",");
  const unpacked = pairs.map(({ name }) => (name === "default" ? "default:figure" : name)).join(",");
  const exported = pairs.map(({ name }) => (name === "default" ? "figure as default" : name)).join(",");
  return `function nnlibLive(){"use strict";${code.slice(0, exportList.index)}return{${returned}}}\nconst{${unpacked}}=nnlibLive();\nexport{${exported}};\n`;
}

mkdirSync(dirname(target), { recursive: true });
const built = await build({
  entryPoints: [join(FIGURES, "src", "index.ts")],
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
writeFileSync(target, `${banner("nnlib.live", "figures")}\n${selfQuoting(built.outputFiles[0].text)}`);
copyFileSync(join(FIGURES, "src", "live.css"), join(dirname(target), "live.css"));
report("nnlib/live/static/live.js", target);
