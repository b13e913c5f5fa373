// The types of what Python sends, generated from view.schema.json by tools/make_grammar.py.

export const MAX_INPUTS = 200;
export const MAX_VALUES = 2000000;

/** What Python sends to the page. */
export interface FigureSpec {
  readonly format: "nnlib.live";
  readonly version: 1;
  readonly name: string;
  readonly title?: string;
  readonly caption?: string;
  readonly alt?: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly order?: Names;
  readonly static_inputs: Names;
  readonly programs: Programs;
  readonly drags?: readonly Graph[];
  readonly pool?: Pool;
  readonly view: ViewSpec;
  readonly training?: TrainingPlanSpec;
}

/** What is drawn in axes. */
export type MarkSpec =
  | CurveSpec
  | PointsSpec
  | HandleSpec
  | LineSpec
  | SegmentsSpec
  | ArrowsSpec
  | BarsSpec
  | AreaSpec
  | ContourSpec
  | HeatSpec
  | LabelSpec;

/** A line through (x, y) in their order; y of shape (k, n) draws k of them. */
export interface CurveSpec {
  readonly kind: "curve";
  readonly x: Ref;
  readonly y: Ref;
  readonly color: Color;
  readonly width: number;
  readonly dash: boolean;
  readonly arrow: boolean;
  readonly label?: string;
  readonly drag?: Drag;
  readonly when?: Ref;
}

/** Points at xy of shape (n, 2), or at x and y. */
export interface PointsSpec {
  readonly kind: "points";
  readonly xy?: Ref;
  readonly x?: Ref;
  readonly y?: Ref;
  readonly classes?: Ref;
  readonly color: Color;
  readonly size: Ref;
  readonly labels?: Names;
  readonly label?: string;
  readonly class_names?: Names;
  readonly drag?: true;
  readonly select?: string;
  readonly toggle?: string;
  readonly mark?: Ref;
  readonly when?: Ref;
}

/** A point that the reader drags or moves by arrow keys. */
export interface HandleSpec {
  readonly kind: "handle";
  readonly x: Ref;
  readonly y: Ref;
  readonly drag: Drag;
  readonly label: string;
  readonly color: Color;
  readonly size: number;
  readonly step?: number;
  readonly when?: Ref;
}

/** A line across the axes: w0 + w1 x + w2 y = 0, or y = slope x + intercept, or x, or y. */
export interface LineSpec {
  readonly kind: "line";
  readonly w0?: Ref;
  readonly w1?: Ref;
  readonly w2?: Ref;
  readonly slope?: Ref;
  readonly intercept?: Ref;
  readonly x?: Ref;
  readonly y?: Ref;
  readonly band?: Ref;
  readonly color: Color;
  readonly width: number;
  readonly dash: boolean;
  readonly label?: string;
  readonly when?: Ref;
}

/** Line segments from (x0, y0) to (x1, y1). */
export interface SegmentsSpec {
  readonly kind: "segments";
  readonly x0: Ref;
  readonly y0: Ref;
  readonly x1: Ref;
  readonly y1: Ref;
  readonly color: Color;
  readonly width: number;
  readonly dash: boolean;
  readonly label?: string;
  readonly when?: Ref;
}

/** Arrows from (x, y) to (x + scale·dx, y + scale·dy). */
export interface ArrowsSpec {
  readonly kind: "arrows";
  readonly x: Ref;
  readonly y: Ref;
  readonly dx: Ref;
  readonly dy: Ref;
  readonly scale: Ref;
  readonly color: Color;
  readonly width: number;
  readonly label?: string;
  readonly when?: Ref;
}

/** Bars of these heights at x, or at 0, 1, 2, …. */
export interface BarsSpec {
  readonly kind: "bars";
  readonly height: Ref;
  readonly x?: Ref;
  readonly labels?: Names;
  readonly base?: Ref;
  readonly width: number;
  readonly color: Color;
  readonly classes?: Ref;
  readonly select?: string;
  readonly label?: string;
  readonly format?: string;
  readonly when?: Ref;
}

/** The area between y and base. */
export interface AreaSpec {
  readonly kind: "area";
  readonly x: Ref;
  readonly y: Ref;
  readonly base: Ref;
  readonly color: Color;
  readonly label?: string;
  readonly when?: Ref;
}

/** Contours of z (rows: y rising, columns: x rising). */
export interface ContourSpec {
  readonly kind: "contour";
  readonly z: Ref;
  readonly xlim: Limits;
  readonly ylim: Limits;
  readonly levels: number | readonly number[];
  readonly color: Color;
  readonly fill: boolean;
  readonly label?: string;
  readonly when?: Ref;
}

/** Colours z (rows: y rising, columns: x rising) over a rectangle. */
export interface HeatSpec {
  readonly kind: "heat";
  readonly z: Ref;
  readonly xlim: Limits;
  readonly ylim: Limits;
  readonly colors: Colors;
  readonly range?: Limits;
  readonly label?: string;
  readonly smooth: boolean;
  readonly when?: Ref;
}

/** Text at (x, y), moved by (dx, dy) pixels. */
export interface LabelSpec {
  readonly kind: "label";
  readonly text: Words;
  readonly x: Ref;
  readonly y: Ref;
  readonly color: Color;
  readonly anchor: "start" | "middle" | "end";
  readonly dx: number;
  readonly dy: number;
  readonly when?: Ref;
}

/** What a figure shows. */
export type ViewSpec =
  | AxesSpec
  | RowSpec
  | ColumnSpec
  | ReadoutSpec
  | MeterSpec
  | FormulaSpec
  | ButtonSpec
  | TogglesSpec
  | ControlSpec
  | TrainingSpec
  | ImagesSpec
  | NetworkSpec
  | DagSpec
  | SequenceSpec
  | PredictSpec
  | QuizSpec;

/** A rectangle with an x and a y axis, in which marks are drawn, each over the ones before it. */
export interface AxesSpec {
  readonly kind: "axes";
  readonly marks: readonly MarkSpec[];
  readonly xlabel?: string;
  readonly ylabel?: string;
  readonly title?: string;
  readonly xlim: Limits;
  readonly ylim: Limits;
  readonly xscale: "linear" | "log";
  readonly yscale: "linear" | "log";
  readonly width: number;
  readonly height: number;
  readonly equal: boolean;
  readonly frame: boolean;
  readonly legend: boolean;
  readonly fit?: readonly ("xlim" | "ylim")[];
  readonly limits_from_marks?: boolean;
  readonly pointer?: Drag;
  readonly when?: Ref;
}

/** Views side by side. */
export interface RowSpec {
  readonly kind: "row";
  readonly items: readonly ViewSpec[];
}

/** Views one below the other. */
export interface ColumnSpec {
  readonly kind: "column";
  readonly items: readonly ViewSpec[];
  readonly when?: Ref;
}

/** A line of text with live numbers. */
export interface ReadoutSpec {
  readonly kind: "readout";
  readonly text: Words;
  readonly size: "normal" | "large";
  readonly when?: Ref;
}

/** A bar between min and max with its number beside it. */
export interface MeterSpec {
  readonly kind: "meter";
  readonly label: string;
  readonly value: Ref;
  readonly min: number;
  readonly max: number;
  readonly format: string;
  readonly color: Color;
  readonly when?: Ref;
}

/** A formula with live numbers. */
export interface FormulaSpec {
  readonly kind: "formula";
  readonly tree: Tree;
  readonly when?: Ref;
}

/** A button that sets inputs. */
export interface ButtonSpec {
  readonly kind: "button";
  readonly label: string;
  readonly set: Readonly<Record<string, Ref>>;
  readonly when?: Ref;
}

/** A row of switches, one for each entry of an input. */
export interface TogglesSpec {
  readonly kind: "toggles";
  readonly labels: readonly Words[];
  readonly toggle: string;
  readonly when?: Ref;
}

/** The controls of these inputs. */
export interface ControlSpec {
  readonly kind: "control";
  readonly names: Names;
}

/** The controls of the training: play, step, rewind, seed and speed. */
export interface TrainingSpec {
  readonly kind: "training";
}

/** Images: values of shape (h, w), (n, h, w) or (n, c, h, w). */
export interface ImagesSpec {
  readonly kind: "images";
  readonly values: Ref;
  readonly columns?: number;
  readonly colors: Colors;
  readonly range?: Limits;
  readonly labels?: Names;
  readonly title?: string;
  readonly pixel?: number;
  readonly annotate?: string;
  readonly row_labels?: CellLabels;
  readonly column_labels?: CellLabels;
  readonly window?: Ref;
  readonly select?: string;
  readonly pick?: readonly (Live | null)[];
  readonly when?: Ref;
}

/** Neurons and edges: an edge's width shows |weight|, its colour and dashes show the sign. */
export interface NetworkSpec {
  readonly kind: "network";
  readonly neurons: readonly NeuronSpec[];
  readonly edges: readonly EdgeSpec[];
  readonly show: "weights" | "gradients";
  readonly limit: number;
  readonly step: number;
  readonly width: number;
  readonly height: number;
  readonly select?: string;
  readonly toggle?: string | boolean;
  readonly order?: string;
  readonly hover?: string;
  readonly when?: Ref;
}

/** A recorded graph, laid out in layers. */
export interface DagSpec {
  readonly kind: "dag";
  readonly nodes: readonly NodeSpec[];
  readonly backward?: readonly string[];
  readonly step?: string;
  readonly format: string;
  readonly direction: "LR" | "RL" | "TB" | "BT";
  readonly select?: string;
  readonly now?: Ref;
  readonly when?: Ref;
}

/** A recurrent network over a text input. */
export interface SequenceSpec {
  readonly kind: "sequence";
  readonly word: string;
  readonly states?: Ref;
  readonly outputs?: Ref;
  readonly output_labels?: Names;
  readonly unrolled?: Ref;
  readonly cell: string;
  readonly head: string;
  readonly changes?: Ref;
  readonly select?: string;
  readonly when?: Ref;
}

/** A question that the reader answers before the result is shown. */
export interface PredictSpec {
  readonly kind: "predict";
  readonly name: string;
  readonly question: Words;
  readonly answer_with: "number" | "choice" | "input";
  readonly choices?: Names;
  readonly answer?: Ref;
  readonly input?: string;
  readonly tolerance: number;
  readonly min?: number;
  readonly max?: number;
  readonly reply_right: Words;
  readonly reply_wrong: Words;
  readonly why?: Words;
  readonly reveal: readonly ViewSpec[];
}

/** Questions to check what has been understood. */
export interface QuizSpec {
  readonly kind: "quiz";
  readonly questions: readonly QuestionSpec[];
}

/** A neuron of a network. */
export interface NeuronSpec {
  readonly kind: "neuron";
  readonly id: string;
  readonly layer: number;
  readonly label: string;
  readonly value?: Ref;
  readonly bias?: Ref;
  readonly delta?: Ref;
  readonly total?: Ref;
  readonly image?: Ref;
  readonly row?: number;
  readonly on?: Ref;
}

/** An edge of a network. */
export interface EdgeSpec {
  readonly kind: "edge";
  readonly source: string;
  readonly target: string;
  readonly weight?: Ref;
  readonly gradient?: Ref;
  readonly label?: string;
}

/** A node of a recorded graph. */
export interface NodeSpec {
  readonly id: string;
  readonly label: string;
  readonly op?: string;
  readonly kind?: "input" | "constant" | "op";
  readonly inputs: readonly string[];
  readonly value?: Ref;
  readonly grad?: Ref;
}

/** A question of a quiz with choices. */
export interface ChoiceQuestionSpec {
  readonly kind: "choice_question";
  readonly question: string;
  readonly choices: Names;
  readonly answers: readonly number[];
  readonly replies: Names;
  readonly why: string;
}

/** A question of a quiz that is answered by a number. */
export interface NumberQuestionSpec {
  readonly kind: "number_question";
  readonly question: string;
  readonly answer: number;
  readonly tolerance: number;
  readonly why: string;
}

/** A question of a quiz. */
export type QuestionSpec =
  | ChoiceQuestionSpec
  | NumberQuestionSpec;

/** An input and the control that sets it. */
export type InputSpec =
  | SliderSpec
  | NumberBoxSpec
  | CheckboxSpec
  | DropdownSpec
  | TextSpec
  | PaintSpec
  | ArraySpec
  | StepperSpec;

/** The fields that all inputs have. */
export interface InputBaseSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
}

/** A number between min and max. */
export interface SliderSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "slider";
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly format?: string;
  readonly log?: boolean;
}

/** A box in which a number is typed. */
export interface NumberBoxSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "number";
  readonly value: number;
  readonly min?: number;
  readonly max?: number;
  readonly step: number;
}

/** A switch. */
export interface CheckboxSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "checkbox";
  readonly value: boolean;
}

/** One of several values. */
export interface DropdownSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "dropdown";
  readonly value: number;
  readonly labels: readonly string[];
  readonly values?: readonly Numbers[];
  readonly buttons?: boolean;
}

/** A word. */
export interface TextSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "text";
  readonly value: string;
  readonly alphabet: string;
  readonly length: number;
}

/** A grid of numbers to paint on. */
export interface PaintSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "paint";
  readonly value: Numbers;
  readonly range: Limits;
  readonly brush: number;
  readonly colors: Colors;
  readonly annotate?: string;
}

/** Numbers without a slider, box or menu: drags, clicks, edges, buttons or training set them. */
export interface ArraySpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "array";
  readonly value: Scalar | Numbers;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
}

/** Steps through states 0, 1, …. */
export interface StepperSpec {
  readonly dtype: "float32" | "float64" | "int64" | "bool";
  readonly shape: Shape;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly control: "stepper";
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly names?: Names;
  readonly interval: number;
}

/** A state that begins with the same values for every seed. */
export interface StoredStateSpec {
  readonly data: Numbers;
}

/** A state that begins with values of its own for each seed. */
export interface SeededStateSpec {
  readonly seeds: readonly Numbers[];
}

/** A state that is sampled with the seed: normal with mean a and standard deviation b, or uniform from a to b. */
export interface SampledStateSpec {
  readonly distribution: "normal" | "uniform";
  readonly a: number;
  readonly b: number | Numbers;
  readonly stream: number;
}

/** The values with which a state of the training begins. */
export type StateSpec =
  | StoredStateSpec
  | SeededStateSpec
  | SampledStateSpec;

/** How many examples there are, and how many of them a step uses. */
export interface BatchSpec {
  readonly count: number;
  readonly size: number;
}

/** A recorded training step and how it is run. */
export interface TrainingPlanSpec {
  readonly static_inputs: Names;
  readonly programs: Programs;
  readonly pool?: Pool;
  readonly state: Readonly<Record<string, StateSpec>>;
  readonly batch: BatchSpec | null;
  readonly loss: string;
  readonly seed: number;
  readonly seeds: number;
  readonly track: Names;
  readonly speed: "slow" | "frame" | "fast" | "full";
  readonly max_steps: number;
}

/** The current numbers of an input, an output or a value that the page keeps, such as the loss history; `at` selects entries (null keeps a dimension). */
export interface Live {
  readonly ref: string;
  readonly at?: readonly (number | null)[];
}

/** Constants. */
export interface Fixed {
  readonly shape: Shape;
  readonly data: Numbers;
}

/** A reference to numbers, or the numbers themselves. */
export type Ref =
  | Live
  | Fixed;

/** A number; infinities and NaN, which JSON lacks, are strings. */
export type Scalar =
  | number
  | "NaN" | "Infinity" | "-Infinity";

/** The numbers of an array as a flat list in row-major order (the last dimension changes fastest). */
export type Numbers = readonly Scalar[];

export type Shape = readonly number[];

/** A live number in a text, by Python's format language. */
export interface Slot {
  readonly ref: string;
  readonly at?: readonly (number | null)[];
  readonly format: string;
}

/** Text with live numbers in it. */
export type Words = readonly (string | Slot)[];

export type Names = readonly string[];

/** The ends of an axis or of a scale of colours. */
export type Limits = readonly [number, number];

/** The name of a colour in the palette (series0, gradient, …), or a CSS colour. */
export type Color = string;

/** A scale of colours. */
export type Colors = "classes" | "diverging" | "gray" | "magnitude";

/** Which inputs follow a position: by a recorded program, or by name. */
export type Drag =
  | { readonly program: number; }
  | { readonly x?: Live; readonly y?: Live; };

/** A recorded graph, as docs/graph-schema.md describes it. */
export type Graph = Readonly<Record<string, unknown>>;

/** A formula: text, a live number, or an element of MathML with its attributes and children. */
export type Tree =
  | string
  | { readonly slot: Live; readonly format: string; }
  | readonly [string, Readonly<Record<string, string>>, ...Tree[]];

/** The labels of rows or columns: a list, or the name of a text input whose letters are the labels. */
export type CellLabels =
  | Names
  | string;

/** A recorded graph for each combination of static inputs; the key is the positions of their values, such as "0,2". */
export type Programs = Readonly<Record<string, Graph>>;

/** Large constants of the programs, each stored once, in base64. */
export type Pool = readonly string[];
