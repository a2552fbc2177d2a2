/** How the page calls units, inputs and weights. */

import type { Link } from "./geometry";
import type { Catalogue } from "./protocol";
import type { Run } from "./run.svelte";

/** The name of a row of the first weight matrix: a feature's title, or a column's name. */
export function inputName(catalogue: Catalogue | null, run: Run, row: number): string {
  const feature = run.current.features[row];
  const title = catalogue?.features.find(({ name }) => name === feature)?.title;
  const isTable = run.current.data.source === "table";
  return (isTable ? undefined : title) ?? run.network?.inputs[row] ?? title ?? `input ${row + 1}`;
}

/** A unit of layer 1 or later. */
export function unitName(run: Run, layer: number, unit: number): string {
  const layers = run.network?.layers ?? [];
  if (layer < layers.length - 1) return `neuron ${unit + 1} of layer ${layer}`;
  const classes = run.data?.classes;
  return classes && (layers.at(-1) ?? 1) > 1 ? `output for ${classes[unit] ?? unit}` : "the output";
}

/** What feeds a weight. */
export function sourceName(catalogue: Catalogue | null, run: Run, { layer, input }: Pick<Link, "layer" | "input">): string {
  return layer === 1 ? inputName(catalogue, run, input) : `neuron ${input + 1}`;
}

export function weightOf(run: Run, { layer, input, unit }: Link): number {
  const weights = run.array(`weights${layer}`);
  return weights?.values[input * (weights.shape[1] ?? 0) + unit] ?? 0;
}

export function biasOf(run: Run, layer: number, unit: number): number {
  return run.array(`biases${layer}`)?.values[unit] ?? 0;
}

/** Short enough for a label, exact enough to see it move. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return "no number";
  const size = Math.abs(value);
  return size >= 0.001 && size < 10000 ? Number(value.toPrecision(3)).toString() : value === 0 ? "0" : value.toExponential(1);
}
