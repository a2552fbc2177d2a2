/**
 * What two runs do differently.
 * Takes two objects of settings; returns the names and both values of what differs; never changes them.
 */

import type { Catalogue, Choice } from "./protocol";

export interface Difference {
  name: string;
  values: [string, string];
}

/** What the page calls a setting, or what is chosen for it; the settings' own word where it has no name. */
export type Titles = (name: string, value?: string) => string | undefined;

function shown(value: unknown, name: string, titles: Titles): string {
  if (value === undefined) return "none";
  if (Array.isArray(value)) return value.map((each) => shown(each, name, titles)).join(", ") || "none";
  if (isRecord(value)) return Object.entries(value).map(([part, each]) => shown(each, part, titles)).join(" ");
  return titles(name, String(value)) ?? String(value).replaceAll("_", " ");
}

/** The titles of the catalogue. */
export function titlesOf(catalogue: Catalogue | null): Titles {
  if (!catalogue) return () => undefined;
  const { activations, features, initializers, losses, optimizers, schedules, sources, controls } = catalogue;
  const lists: Record<string, Choice[]> = {
    ...{ activation: activations, features, initializer: initializers, loss: losses },
    ...{ optimizer: optimizers, schedule: schedules, source: sources },
  };
  return (name, value) => {
    if (value === undefined) return name === "data seed" ? "Seed of the points" : controls[name]?.title;
    return lists[name]?.find((choice) => choice.name === value)?.title;
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const hasParts = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && (!Array.isArray(value) || value.some(isRecord));

/** Paths to what differs, such as ["layers", "0", "activation"]. */
function paths(first: unknown, second: unknown, path: string[], titles: Titles): { path: string[]; values: [string, string] }[] {
  if (hasParts(first) && hasParts(second)) {
    const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return names.flatMap((name) => paths(first[name], second[name], [...path, name], titles));
  }
  const name = path.at(-1) ?? "";
  const values: [string, string] = [shown(first, name, titles), shown(second, name, titles)];
  return values[0] === values[1] ? [] : [{ path, values }];
}

/** The settings of the data stand alone, but for their seed. */
function title(path: string[], titles: Titles): string {
  const [first, ...rest] = path;
  if (first === "data" && rest.length > 0) return titles(rest[0] === "seed" ? "data seed" : rest[0]!) ?? plain(path);
  return path.map((part) => titles(part) ?? plain([part])).join(": ");
}

const plain = (path: string[]): string => path.map((part) => part.replaceAll("_", " ")).join(": ");

/** "layers: activation" for several layers becomes "layers 1, 2 and 3: activation". */
function named(path: string[], numbers: number[], titles: Titles): string {
  const ordered = numbers.map((number) => String(number + 1));
  const all = ordered.length > 2 && numbers.every((number, at) => at === 0 || number === numbers[at - 1]! + 1);
  const which = all ? `${ordered[0]} to ${ordered.at(-1)}` : ordered.join(" and ");
  const word = numbers.length > 1 ? "layers" : "layer";
  return title([`${word} ${which}`, ...path.slice(2)], titles);
}

/** Every setting that differs, with its value in the first and in the second run; equal ones of several layers once. */
export function differences(first: unknown, second: unknown, titles: Titles = () => undefined): Difference[] {
  const found: Difference[] = [];
  const layers = new Map<string, { path: string[]; numbers: number[]; values: [string, string] }>();
  for (const { path, values } of paths(first, second, [], titles)) {
    if (path[0] !== "layers" || path.length === 1) {
      found.push({ name: title(path, titles), values });
      continue;
    }
    const key = [...path.slice(2), ...values].join("|");
    const known = layers.get(key) ?? { path, numbers: [], values };
    known.numbers.push(Number(path[1]));
    layers.set(key, known);
  }
  const grouped = [...layers.values()].map(({ path, numbers, values }) => ({ name: named(path, numbers, titles), values }));
  return [...grouped, ...found];
}
