// The dtypes of the page: the one list of them, and how a number becomes one of each.

export const DTYPES = ["float32", "float64", "int64", "bool"] as const;

export type DType = (typeof DTYPES)[number];

/** A number as the dtype has it. A switch, not a table of functions, because loops over elements call it. */
export function converted(x: number, dtype: DType): number {
  switch (dtype) {
    case "float32": return Math.fround(x);
    case "float64": return x;
    case "int64": return Math.trunc(x) + 0; // integers have no -0
    case "bool": return x ? 1 : 0;
    default:
      dtype satisfies never;
      throw new Error(`this page does not know the dtype ${String(dtype)}: it may come from a newer nnlib`);
  }
}
