/** Titles and explanations of the page's controls, from the catalogue; values that the lists offer. */

import type { Catalogue, Choice, Loss, Settings } from "./protocol";

export interface Words {
  title: string;
  help: string;
}

/** Title and explanation of a control; the name itself where the catalogue has none. */
export function words(catalogue: Catalogue | null, name: string, title?: string): Words {
  const control = catalogue?.controls[name];
  const plain = name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
  return { title: control?.title ?? title ?? plain, help: control?.help ?? "" };
}

export interface Option<T> {
  value: T;
  title: string;
}

export function optionsOf(choices: Choice[]): Option<string>[] {
  return choices.map(({ name, title }) => ({ value: name, title }));
}

/** Options for numbers: written without a power of ten where that is short. */
export function numbers(values: readonly number[]): Option<number>[] {
  return values.map((value) => ({ value, title: number(value) }));
}

export function number(value: number): string {
  return String(Number(value.toPrecision(6)));
}

export const LEARNING_RATES = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
export const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
export const SPEEDS = [1, 5, 20, 50, 100, 250, 1000];

export type Regularization = "none" | "l1" | "l2" | "both";

export function regularizationOf({ l1, l2 }: Settings): Regularization {
  if (l1 > 0 && l2 > 0) return "both";
  if (l1 > 0) return "l1";
  return l2 > 0 ? "l2" : "none";
}

/** The losses for this many classes, or for numbers. */
export function lossesFor(catalogue: Catalogue, classes: number | undefined): Loss[] {
  const wanted = classes === undefined ? "regression" : classes > 2 ? "multiclass" : "binary";
  return catalogue.losses.filter(({ kind }) => kind === "any" || kind === wanted);
}
