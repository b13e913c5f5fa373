// The colours that a figure's author may name; made by tools/make_palette.py.

export const COLOR_NAMES: ReadonlySet<string> = new Set([
  "accent",
  "class0",
  "class1",
  "gradient",
  "ink",
  "muted",
  "paper",
  "series0",
  "series1",
  "series2",
  "series3",
  "series4",
  "series5",
  "weight-neg",
  "weight-pos",
]);
