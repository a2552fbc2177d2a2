/** Small maps of features that the network does not have: the engine sends only those of its inputs. */

import type { NamedArray } from "./frames";

const EDGE = 6;

type Function2 = (x1: number, x2: number) => number;

/** Each feature, and the size at which its map has full colour. */
const FEATURES: Record<string, [Function2, number]> = {
  x1: [(x1) => x1, EDGE],
  x2: [(_, x2) => x2, EDGE],
  x1_squared: [(x1) => x1 ** 2, EDGE ** 2],
  x2_squared: [(_, x2) => x2 ** 2, EDGE ** 2],
  x1_x2: [(x1, x2) => x1 * x2, EDGE ** 2],
  sin_x1: [(x1) => Math.sin(x1), 1],
  sin_x2: [(_, x2) => Math.sin(x2), 1],
};

const made = new Map<string, NamedArray>();

/** A map of one unit, as frames have them; all neutral for a name that is not known. */
export function featureMap(name: string, grid: number): NamedArray {
  const kept = made.get(name);
  if (kept) return kept;
  const [value, size] = FEATURES[name] ?? [() => 0, 1];
  const at = (i: number): number => ((2 * i) / (grid - 1) - 1) * EDGE;
  const values = Uint8Array.from({ length: grid * grid }, (_, i) => {
    return Math.round(127.5 + (127.5 * value(at(i % grid), at(Math.floor(i / grid)))) / size);
  });
  const map = { values, shape: [1, grid, grid] };
  made.set(name, map);
  return map;
}
