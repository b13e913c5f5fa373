// A function has fewer than 60 lines, not counting the comment above it. TypeScript's own parser finds the functions.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SyntaxKind } from "typescript/unstable/ast";
import { isClassStaticBlockDeclaration, isFunctionLikeDeclaration } from "typescript/unstable/ast/is";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";

const FRONTEND = dirname(fileURLToPath(import.meta.url));
const LONGEST = 59;

/** A function's name for the report: its own, or that of the variable or property that holds it, or the call it is passed to. */
function nameOf(node, source) {
  for (let ancestor = node; ancestor !== source; ancestor = ancestor.parent) {
    if (ancestor.kind === SyntaxKind.Constructor) return "constructor";
    if (ancestor.name) return ancestor.name.getText(source);
    if (ancestor !== node && ancestor.kind === SyntaxKind.CallExpression) return `a function passed to ${ancestor.expression.getText(source)}`;
  }
  return "a function without a name";
}

/** The functions of some files: each one's name, first line and number of lines. */
function functions(files, options = {}) {
  const api = new API({ cwd: FRONTEND, ...options });
  try {
    const snapshot = api.updateSnapshot({ openFiles: files });
    return files.flatMap((file) => {
      const source = snapshot.getDefaultProjectForFile(file).program.getSourceFile(file);
      const line = (position) => source.getLineAndCharacterOfPosition(position).line + 1;
      const declared = [];
      const visit = (node) => {
        if (isFunctionLikeDeclaration(node) || isClassStaticBlockDeclaration(node)) {
          const first = line(node.getStart(source));
          declared.push({ file, name: nameOf(node, source), first, lines: line(node.end) - first + 1 });
        }
        node.forEachChild(visit);
      };
      visit(source);
      return declared;
    });
  } finally {
    api.close();
  }
}

test("functions of every kind are measured, without the comment above them", () => {
  const text = `
/** One.
 * Two. */
export function double(
  x: number,
): number {
  return [x].map((v) => {
    return 2 * v;
  })[0]!;
}
const arrow = (): void => {
};
const object = { method() {
}, stored: function () { return 1; } };
class Sample {
  field = () => 1;
  constructor() {
    this.field();
  }
  get size(): number {
    return 1; }
}
export default () => arrow();
`;
  const file = "/sample/sample.ts";
  const declared = functions([file], { cwd: "/sample", fs: createVirtualFileSystem({ [file]: text }) });
  assert.deepEqual(declared.map(({ name, first, lines }) => [name, first, lines]), [
    ["double", 4, 7], ["a function passed to [x].map", 7, 3],
    ["arrow", 11, 2], ["method", 13, 2], ["stored", 14, 1],
    ["field", 16, 1], ["constructor", 17, 3], ["size", 20, 2], ["a function without a name", 23, 1],
  ]);
});

test("functions fit on a screen", () => {
  const files = readdirSync(FRONTEND, { recursive: true })
    .filter((path) => /\.(ts|mts|js|mjs)$/.test(path) && !path.endsWith(".d.ts") && !path.includes("node_modules"));
  const all = functions(files.map((path) => join(FRONTEND, path)));
  assert.ok(files.length > 70 && all.length > 1000, `only ${all.length} functions in ${files.length} files were read`);
  const long = all.filter(({ lines }) => lines > LONGEST)
    .map(({ file, name, first, lines }) => `${relative(FRONTEND, file)}:${first}: ${name} has ${lines} lines`);
  assert.ok(!long.length, `split these functions by meaning:\n${long.join("\n")}`);
});
