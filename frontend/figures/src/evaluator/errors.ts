// GraphError: what a reader of the page is told when a graph cannot be read or run.

export class GraphError extends Error {
  override readonly name = "GraphError";
}
