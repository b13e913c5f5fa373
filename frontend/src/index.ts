// The bundle's entry: what the page's module exports.

export { GraphError, Program, parseGraph } from "./evaluator/index.js";
export { opNames } from "./primitives/index.js";
export { RecordedTrainer } from "./training.js";
