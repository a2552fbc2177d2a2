/**
 * What two runs do differently.
 * Takes two objects of settings; returns the names and both values of what differs; never changes them.
 */

export interface Difference {
  name: string;
  values: [string, string];
}

const TITLES: Record<string, string> = { l1: "L1", l2: "L2" };

const title = (path: string[]): string =>
  path
    .map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : (TITLES[part] ?? part.replaceAll("_", " "))))
    .join(", ");

function shown(value: unknown): string {
  if (value === undefined) return "none";
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.join(", ") || "none";
  if (typeof value === "object" && value !== null) return Object.values(value).map(shown).join(" ");
  return String(value);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && (!Array.isArray(value) || value.some((each) => typeof each === "object"));

/** Every setting that differs, with its value in the first and in the second run. */
export function differences(first: unknown, second: unknown, path: string[] = []): Difference[] {
  if (isRecord(first) && isRecord(second)) {
    const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return names.flatMap((name) => differences(first[name], second[name], [...path, name]));
  }
  const values: [string, string] = [shown(first), shown(second)];
  return values[0] === values[1] ? [] : [{ name: title(path), values }];
}
