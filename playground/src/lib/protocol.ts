/** The messages between the page and the server, and the settings of a run: types alone. */

export type RunNumber = 0 | 1;

export interface DataSettings {
  source: string;
  rows: number;
  train_share: number;
  seed: number;
  noise?: number;
  classes?: number;
  columns?: string[];
  target?: string;
  others?: "median" | "inputs";
}

export interface LayerSettings {
  units: number;
  activation: string;
  dropout: number;
  initializer: string;
}

export interface Settings {
  version: number;
  data: DataSettings;
  features: string[];
  layers: LayerSettings[];
  output: { initializer: string; activation: string };
  loss: string;
  optimizer: string;
  momentum: number;
  learning_rate: number;
  schedule: string;
  schedule_steps: number;
  l1: number;
  l2: number;
  batch_size: number;
  seed: number;
}

/** The settings that can change without starting again. */
export type LiveChanges = Partial<Pick<Settings, "learning_rate" | "batch_size" | "l1" | "l2">>;

export interface Choice {
  name: string;
  title: string;
  help: string;
}

export interface Source extends Choice {
  task: "classification" | "regression" | "any";
  /** The number of classes can be chosen. */
  classes: boolean;
}

export interface Optimizer extends Choice {
  /** Its momentum can be chosen. */
  momentum: boolean;
}

export interface Loss extends Choice {
  /** The targets it is for. */
  kind: "binary" | "multiclass" | "regression" | "any";
}

export interface Control {
  title: string;
  help: string;
  values?: number[];
}

export interface Limits {
  layers: number;
  units: number;
  parameters: number;
  rows: number;
  steps: number;
  grid: number;
  plane: number;
}

export interface Catalogue {
  sources: Source[];
  features: Choice[];
  activations: Choice[];
  optimizers: Optimizer[];
  schedules: Choice[];
  initializers: Choice[];
  losses: Loss[];
  controls: Record<string, Control>;
  limits: Limits;
  good_settings: Record<string, Settings>;
}

export interface Lesson {
  id: string;
  title: string;
  text: string[];
  runs: Settings[];
  statistics: boolean;
  steps: number;
  watch: string;
}

export interface TableColumn {
  name: string;
  kind: string;
  missing: number;
  levels: number;
  /** Why it cannot be an axis of the plane; empty if it can. */
  no_axis: string;
  /** Why it cannot be predicted; empty if it can. */
  no_target: string;
}

export interface TableDescription {
  name: string;
  rows: number;
  sampled: boolean;
  note: string;
  columns: TableColumn[];
  /** null if the table has no two columns of numbers beside one to predict. */
  suggested: { columns: string[]; target: string; task: string } | null;
}

export interface NetworkDescription {
  inputs: string[];
  layers: number[];
  shown: number[];
  parameters: number;
  activations: string[];
}

export interface Axis {
  name: string;
  low: number;
  high: number;
}

/** First and second coordinate, and the class number or the target. */
export type Point = [number, number, number];

export interface DataDescription {
  axes: [Axis, Axis];
  classes: string[] | null;
  train: Point[];
  test: Point[];
  n_train: number;
  n_test: number;
  target_range: [number, number] | null;
  note: string;
}

export interface WelcomeMessage {
  type: "welcome";
  protocol: number;
  /** The name of this page, which an upload gives. */
  page: string;
  version: string;
  catalogue: Catalogue;
  lessons: Lesson[];
  table: TableDescription | null;
}

export interface ConfiguredMessage {
  type: "configured";
  run: RunNumber;
  settings: Settings;
  network: NetworkDescription;
  data: DataDescription;
}

export type ServerMessage =
  | WelcomeMessage
  | ConfiguredMessage
  | { type: "error"; run?: RunNumber; message: string }
  | { type: "script"; run: RunNumber; text: string }
  | { type: "saved"; run: RunNumber; document: unknown }
  | { type: "table"; table: TableDescription | null };

export type ClientMessage =
  | { type: "configure"; run: RunNumber; settings: Settings }
  | { type: "advance"; run: RunNumber; steps: number; statistics: boolean }
  | { type: "change"; run: RunNumber; changes: LiveChanges }
  | { type: "edit"; run: RunNumber; layer: number; input: number | null; unit: number; value: number }
  | { type: "drop"; run: RunNumber }
  | { type: "script"; run: RunNumber }
  | { type: "save"; run: RunNumber }
  | { type: "load"; run: RunNumber; document: unknown }
  | { type: "forget_table" };

/** What the page starts with when the address says nothing. */
export function firstSettings(): Settings {
  const layer = { activation: "tanh", dropout: 0, initializer: "default" };
  return {
    version: 1,
    data: { source: "circle", rows: 500, noise: 0, train_share: 0.5, seed: 0 },
    features: ["x1", "x2"],
    layers: [
      { units: 4, ...layer },
      { units: 2, ...layer },
    ],
    output: { initializer: "default", activation: "default" },
    loss: "default",
    optimizer: "sgd",
    momentum: 0,
    learning_rate: 0.03,
    schedule: "constant",
    schedule_steps: 5000,
    l1: 0,
    l2: 0,
    batch_size: 10,
    seed: 0,
  };
}

/** Settings of a lesson, which may leave out what the server knows better, as controls can show them at once. */
export function completed(settings: Settings): Settings {
  const first = firstSettings();
  const layers = (settings.layers ?? first.layers).map((layer) => ({ ...first.layers[0]!, ...layer }));
  return { ...first, ...settings, layers, data: { ...first.data, ...settings.data } };
}
