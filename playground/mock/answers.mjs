/** Made-up answers: a catalogue, points on a circle, and maps that move with the step. */
const choice = (name, title = name) => ({ name, title, help: `What ${title} does, in one line.` });
const titled = (names) => names.map((name) => choice(name));
const controls = [
  "learning_rate batch_size l1 l2 regularization activation noise train_share classes rows seed discretize show_test",
  "play step reset good_settings copy_script save load upload two_runs statistics speed data features layers units",
  "dropout initializer optimizer momentum schedule schedule_steps loss",
].join(" ");
const title = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

export const catalogue = {
  sources: [
    ...["circle", "xor", "gauss", "spiral"].map((name) => ({ ...choice(name, title(name)), task: "classification", classes: false })),
    ...["plane", "multi_gauss"].map((name) => ({ ...choice(name, title(name)), task: "regression", classes: false })),
    ...["moons", "blobs", "rings", "spirals"].map((name) => ({ ...choice(name, title(name)), task: "classification", classes: name !== "moons" })),
  ],
  features: titled(["x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"]),
  activations: titled(["relu", "tanh", "logistic", "identity", "elu", "step"]),
  optimizers: titled(["sgd", "adam", "rmsprop", "perceptron"]).map((o) => ({ ...o, momentum: o.name === "sgd" })),
  schedules: titled(["constant", "cosine", "linear"]),
  initializers: titled(["default", "zeros", "equal", "large", "small"]),
  losses: titled(["default", "log_loss", "hinge", "squared_error", "huber"]).map((loss) => ({ ...loss, kind: "any" })),
  controls: Object.fromEntries(
    controls.split(" ").map((name) => [name, { title: title(name), help: `What ${title(name)} does, in one line.` }]),
  ),
  limits: { layers: 32, units: 512, parameters: 1e6, rows: 10000, steps: 100000, grid: 32, plane: 100 },
  good_settings: {},
};
catalogue.controls.learning_rate.values = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
export const lessons = [];

const outputs = ({ data }) => (["blobs", "rings", "spirals"].includes(data.source) ? (data.classes ?? 3) : 1);
const sizes = (settings) => [settings.features.length, ...settings.layers.map((layer) => layer.units), outputs(settings)];

function points(k, n) {
  return Array.from({ length: n }, (_, i) => {
    const y = i % Math.max(2, k);
    const [radius, angle] = [y * (5 / Math.max(2, k)) + 1.2 * Math.random(), Math.random() * 2 * Math.PI];
    return [radius * Math.cos(angle), radius * Math.sin(angle), y];
  });
}

export function configured(run, settings) {
  const layers = sizes(settings);
  const k = layers.at(-1);
  const shown = layers.map((n) => Math.min(n, 64));
  const activations = [...settings.layers.map((layer) => layer.activation), k > 1 ? "softmax" : "logistic"];
  const axes = ["x1", "x2"].map((name) => ({ name, low: -6, high: 6 }));
  const classes = Array.from({ length: Math.max(2, k) }, (_, i) => String(i));
  const data = { axes, classes, train: points(k, 250), test: points(k, 250), n_train: 250, n_test: 250, target_range: [0, 1], note: "" };
  return { type: "configured", run, settings, network: { inputs: settings.features, layers, shown, parameters: 121, activations }, data };
}

const DTYPES = new Map([[Float32Array, "f4"], [Uint8Array, "u1"], [Uint32Array, "u4"]]);
const padded = (n) => Math.ceil(n / 8) * 8;

function bytes(header, arrays) {
  const listed = arrays.map(([name, values, shape]) => ({ name, dtype: DTYPES.get(values.constructor), shape }));
  const json = JSON.stringify({ ...header, arrays: listed });
  const text = Buffer.from(json.padEnd(padded(4 + json.length) - 4));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(text.length);
  const parts = arrays.map(([, values]) => {
    const part = Buffer.alloc(padded(values.byteLength));
    Buffer.from(values.buffer).copy(part);
    return part;
  });
  return Buffer.concat([head, text, ...parts]);
}

function map(units, G, value) {
  const grid = new Float32Array(units * G * G);
  for (let u = 0; u < units; u++)
    for (let r = 0; r < G; r++)
      for (let c = 0; c < G; c++) grid[(u * G + r) * G + c] = value(u, (c / (G - 1)) * 12 - 6, (r / (G - 1)) * 12 - 6);
  return grid;
}

const byte = (grid) => Uint8Array.from(grid, (v) => Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, v))));

export function frame(run, settings, step, { first, statistics }) {
  const layers = sizes(settings);
  const k = layers.at(-1);
  const arrays = [];
  const wave = (layer) => (u, x, y) => Math.tanh(Math.sin(u + layer) * x + Math.cos(u * 2 + step / 500) * y - (u % 3) + 1);
  for (let l = 1; l < layers.length; l++) {
    const [n, m] = [layers[l - 1], layers[l]];
    arrays.push([`weights${l}`, Float32Array.from({ length: n * m }, (_, i) => Math.sin(i * 3 + l + step / 900)), [n, m]]);
    arrays.push([`biases${l}`, new Float32Array(m).fill(0.1), [m]]);
    const shown = Math.min(m, 64);
    if (l < layers.length - 1) {
      arrays.push([`map${l}`, byte(map(shown, 32, wave(l))), [shown, 32, 32]]);
      arrays.push([`range${l}`, new Float32Array(shown).fill(1), [shown]]);
    }
    if (statistics) arrays.push([`histogram${l}`, new Uint32Array(20).fill(l), [20]], [`histogram_range${l}`, new Float32Array([-1, 1]), [2]]);
    if (statistics && l < layers.length - 1) arrays.push([`dead${l}`, new Uint8Array(m), [m]]);
  }
  if (statistics) arrays.push(["gradient_norms", new Float32Array(layers.length - 1).fill(0.1), [layers.length - 1]]);
  arrays.push(["plane", map(k, 100, (u, x, y) => 1 / (1 + Math.exp(Math.hypot(x + u, y) - 3 + (k > 1 ? 2 * u : 0)))), [k, 100, 100]]);
  const units = settings.features.length;
  if (first) arrays.push(["map0", byte(map(units, 32, (u, x, y) => (u ? y : x) / 6)), [units, 32, 32]], ["range0", new Float32Array(units).fill(6), [units]]);
  const loss = 0.7 * Math.exp(-step / 2000);
  const score = { train_score: 0.9, test_score: 0.85, score_name: "accuracy" };
  const header = { type: "frame", run, step, epoch: step / 25, train_loss: loss, test_loss: loss * 1.1, ...score };
  return bytes({ ...header, learning_rate: settings.learning_rate, steps_done: 1, diverged: false, finished: false }, arrays);
}
