// GraphError: thrown when a graph cannot be read or run; its message is shown to the reader.

export class GraphError extends Error {
  override readonly name = "GraphError";
}
