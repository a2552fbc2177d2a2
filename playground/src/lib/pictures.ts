/** Small pictures of the built-in data sets: about eighty points each, always the same. */

export interface Dot {
  x: number;
  y: number;
  /** Class number, or for a regression a number from -1 to 1. */
  value: number;
}

const COUNT = 84;
const TURN = 2 * Math.PI;
/** Fractions of the golden ratio and its like spread points evenly without chance. */
const [FIRST, SECOND] = [0.7548776662, 0.5698402910];

const even = (i: number, ratio: number): number => (0.5 + i * ratio) % 1;
const across = (i: number): [number, number] => [2 * even(i, FIRST) - 1, 2 * even(i, SECOND) - 1];
const polar = (radius: number, angle: number): [number, number] => [radius * Math.sin(angle), radius * Math.cos(angle)];

/** A normal-like cloud around a place. */
function cloud(i: number, [x, y]: [number, number], spread: number): [number, number] {
  const [dx, dy] = polar(spread * Math.sqrt(-Math.log(1 - even(i, FIRST) * 0.95)), TURN * even(i, SECOND));
  return [x + dx, y + dy];
}

function hills(x: number, y: number): number {
  const centres = [-0.65, 0, 0.65].flatMap((cx, i) => [
    { cx, cy: 0.42, sign: i === 1 ? -1 : 1 },
    { cx, cy: -0.42, sign: i === 1 ? 1 : -1 },
  ]);
  return centres.reduce((sum, { cx, cy, sign }) => sum + sign * Math.max(0, 1 - Math.hypot(x - cx, y - cy) / 0.4), 0);
}

type Maker = (i: number) => [x: number, y: number, value: number];

const MAKERS: Record<string, Maker> = {
  circle: (i) => [...polar(i % 2 ? 0.42 * Math.sqrt(even(i, FIRST)) : 0.68 + 0.24 * even(i, FIRST), TURN * even(i, SECOND)), i % 2],
  xor: (i) => {
    const [x, y] = across(i).map((v) => 0.84 * v + (v > 0 ? 0.08 : -0.08)) as [number, number];
    return [x, y, x * y >= 0 ? 1 : 0];
  },
  gauss: (i) => [...cloud(i, i % 2 ? [0.42, 0.42] : [-0.42, -0.42], 0.24), i % 2],
  spiral: (i) => [...polar(0.06 + (0.86 * i) / COUNT, (3.4 * Math.PI * i) / COUNT + Math.PI * (i % 2)), i % 2],
  plane: (i) => {
    const [x, y] = across(i);
    return [0.92 * x, 0.92 * y, (x + y) / 1.7];
  },
  multi_gauss: (i) => {
    const [x, y] = across(i).map((v) => 0.92 * v) as [number, number];
    return [x, y, hills(x, y)];
  },
  moons: (i) => {
    const sign = i % 2 ? -1 : 1;
    const angle = Math.PI * even(i, FIRST);
    const wide = 0.04 * (2 * even(i, SECOND) - 1);
    return [(0.58 + wide) * Math.cos(angle) * sign - 0.28 * sign, (0.62 + wide) * Math.sin(angle) * sign - 0.16 * sign, i % 2];
  },
  blobs: (i) => [...cloud(i, polar(0.58, (TURN * (i % 3)) / 3), 0.17), i % 3],
  rings: (i) => [...polar(0.1 + 0.31 * (i % 3) + 0.12 * even(i, FIRST), TURN * even(i, SECOND)), i % 3],
  spirals: (i) => [...polar(0.1 + (0.82 * i) / COUNT, (4 * i) / COUNT + (TURN * (i % 3)) / 3), i % 3],
};

/** Dots between -1 and 1; none for an unknown source. */
export function dotsOf(source: string): Dot[] {
  const make = MAKERS[source];
  if (!make) return [];
  return Array.from({ length: COUNT }, (_, i) => {
    const [x, y, value] = make(i);
    return { x, y, value };
  });
}
