/*
The page's evaluator of recorded graphs (docs/graph-schema.md).

    const program = new Program(parseGraph(json));   // both may throw GraphError, with a message to show
    program.inputs                                   // [{ name, shape, dtype }, …] (outputs likewise)
    program.set("w", [0.5, -1]);                     // one number fills the input; true if a value changed
    program.run();                                   // only what depends on changed inputs
    program.get("loss")                              // Float64Array, the same buffer every time
    program.input("w")                               // an input's values (get finds an output "w" first)

Values are Float64Array for every dtype: float32 results are rounded to float32 after each operation (around a
fused activation less often: see primitives/fused-loops.ts), int64 are exact up to 2⁵³, bool are 0 and 1.
fuse.ts fuses operations that can run in one loop, unless everyNode is set.  set and get allocate nothing, nor does
run if the same inputs have changed as before its last run.
new Program(graph, { everyNode: true }) also computes nodes that no output needs: at(i) reads node i.
Inputs start as zeros.  run() throws GraphError if an index input points outside its tensor.
*/

export { GraphError } from "./errors.js";
export { type Graph, type GraphNode, MAX_ELEMENTS, MAX_NODES, parseGraph } from "./graph.js";
export { type Port, Program, type ProgramOptions } from "./program.js";
export { opNames } from "../primitives/registry.js";
export { type DType, converted } from "../primitives/dtypes.js";
