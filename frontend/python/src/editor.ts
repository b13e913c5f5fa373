// A cell's editor: CodeMirror with Python's colours, brackets, indentation and completion.

import { autocompletion, closeBrackets, closeBracketsKeymap, type CompletionContext, type CompletionResult, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

export interface EditorCallbacks {
  run(): void;
  runAndNext(): void;
  changed(source: string): void;
  complete(line: string): Promise<{ start: number; names: readonly (readonly [string, string])[] }>;
}

export function makeEditor(host: HTMLElement, source: string, label: string, callbacks: EditorCallbacks): EditorView {
  const handled = (command: () => void) => () => {
    command();
    return true;
  };
  const names = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const word = context.matchBefore(/[A-Za-z_][\w.]*/);
    if (!context.explicit && !(word && (word.text.length > 2 || word.text.endsWith(".")))) return null;
    const line = context.state.doc.lineAt(context.pos);
    const completion = await callbacks.complete(line.text.slice(0, context.pos - line.from));
    if (!completion.names.length) return null;
    return { from: line.from + completion.start, options: completion.names.map(([name, type]) => ({ label: name, type })), validFor: /^\w*$/ };
  };
  return new EditorView({
    parent: host,
    state: EditorState.create({
      doc: source,
      extensions: [
        Prec.highest(keymap.of([
          { key: "Shift-Enter", run: handled(callbacks.runAndNext) },
          { key: "Mod-Enter", run: handled(callbacks.run) },
        ])),
        history(),
        drawSelection(),
        indentUnit.of("    "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [names], icons: false }),
        python(),
        syntaxHighlighting(classHighlighter),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label, "aria-description": "Shift+Enter runs the cell. Escape, then Tab, leaves the editor." }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) callbacks.changed(update.state.doc.toString());
        }),
      ],
    }),
  });
}
