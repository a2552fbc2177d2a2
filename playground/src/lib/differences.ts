/**
 * What two runs do differently.
 * Takes two objects of settings; returns the names and both values of what differs; never changes them.
 */

export interface Difference {
  name: string;
  values: [string, string];
}

const TITLES: Record<string, string> = { l1: "L1", l2: "L2" };

function shown(value: unknown): string {
  if (value === undefined) return "none";
  if (Array.isArray(value)) return value.map(shown).join(", ") || "none";
  if (typeof value === "object" && value !== null) return Object.values(value).map(shown).join(" ");
  return String(value).replaceAll("_", " ");
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const hasParts = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && (!Array.isArray(value) || value.some(isRecord));

/** Paths to what differs, such as ["layers", "0", "activation"]. */
function paths(first: unknown, second: unknown, path: string[]): { path: string[]; values: [string, string] }[] {
  if (hasParts(first) && hasParts(second)) {
    const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return names.flatMap((name) => paths(first[name], second[name], [...path, name]));
  }
  const values: [string, string] = [shown(first), shown(second)];
  return values[0] === values[1] ? [] : [{ path, values }];
}

const title = (path: string[]): string => path.map((part) => TITLES[part] ?? part.replaceAll("_", " ")).join(": ");

/** "layers: activation" for several layers becomes "layers 1, 2 and 3: activation". */
function named(path: string[], numbers: number[]): string {
  const ordered = numbers.map((number) => String(number + 1));
  const all = ordered.length > 2 && numbers.every((number, at) => at === 0 || number === numbers[at - 1]! + 1);
  const which = all ? `${ordered[0]} to ${ordered.at(-1)}` : ordered.join(" and ");
  const word = numbers.length > 1 ? "layers" : "layer";
  return title([`${word} ${which}`, ...path.slice(2)]);
}

/** Every setting that differs, with its value in the first and in the second run; equal ones of several layers once. */
export function differences(first: unknown, second: unknown): Difference[] {
  const found: Difference[] = [];
  const layers = new Map<string, { path: string[]; numbers: number[]; values: [string, string] }>();
  for (const { path, values } of paths(first, second, [])) {
    if (path[0] !== "layers" || path.length === 1) {
      found.push({ name: title(path), values });
      continue;
    }
    const key = [...path.slice(2), ...values].join("|");
    const known = layers.get(key) ?? { path, numbers: [], values };
    known.numbers.push(Number(path[1]));
    layers.set(key, known);
  }
  const grouped = [...layers.values()].map(({ path, numbers, values }) => ({ name: named(path, numbers), values }));
  return [...grouped, ...found];
}
