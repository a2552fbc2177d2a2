/** Where the parts of the network's diagram are: columns of units, and the curves between them. */

export interface Sizes {
  /** Units in each column that are drawn; the first column holds the features and further inputs. */
  rows: number[];
  /** Pixels that the diagram may have without scrolling. */
  width: number;
}

export interface Geometry {
  width: number;
  height: number;
  /** Side of a unit's map in each column. */
  sides: number[];
  /** Centre of each column. */
  x: number[];
  /** Centre of each unit of each column. */
  y: number[][];
}

/** Room for the names of features left of their maps. */
export const NAMES = 56;
/** Room above the units for the controls of a layer. */
export const HEAD = 72;
/** Room right of the last column's centre; for several outputs also for the names of their classes. */
const ROOM_AT_END = 64;
const ROOM_FOR_CLASSES = 112;
const LEAST_COLUMN = 112;
const MOST_COLUMN = 240;
const EDGE = 12;
/** Side of a unit's map and the gap to the next, for columns of at most so many units. */
const FORMS: [units: number, side: number, gap: number][] = [
  [8, 44, 12],
  [12, 36, 8],
  [20, 28, 8],
  [Infinity, 24, 6],
];

function form(units: number): { side: number; gap: number } {
  const [, side, gap] = FORMS.find(([most]) => units <= most) ?? [0, 24, 6];
  return { side, gap };
}

export function geometryOf({ rows, width }: Sizes): Geometry {
  const columns = rows.length;
  const forms = rows.map(form);
  const first = NAMES + (forms[0]?.side ?? 0) / 2;
  const last = (rows.at(-1) ?? 1) > 1 ? ROOM_FOR_CLASSES : ROOM_AT_END;
  const between = Math.max(LEAST_COLUMN, Math.min(MOST_COLUMN, (width - first - last) / Math.max(1, columns - 1)));
  const heights = rows.map((units, i) => units * (forms[i]!.side + forms[i]!.gap) - forms[i]!.gap);
  const tallest = Math.max(...heights);
  return {
    width: first + between * (columns - 1) + last,
    height: HEAD + tallest + 2 * EDGE,
    sides: forms.map(({ side }) => side),
    x: rows.map((_, i) => first + between * i),
    y: rows.map((units, i) => centres(units, forms[i]!, HEAD + EDGE + centred(i, heights, tallest))),
  };
}

/** How far down a column begins: short ones are near the top, where eyes and controls are. */
function centred(column: number, heights: number[], tallest: number): number {
  const spare = tallest - heights[column]!;
  return column === 0 ? 0 : Math.min(spare / 2, 160);
}

function centres(units: number, { side, gap }: { side: number; gap: number }, top: number): number[] {
  return Array.from({ length: units }, (_, i) => top + side / 2 + i * (side + gap));
}

export interface Link {
  /** Index of the layer whose weights it belongs to, from 1 on. */
  layer: number;
  /** Row of the weight matrix. */
  input: number;
  unit: number;
}

/** Height of a link's curve at a share of its way: flat at both ends. */
export function curve(from: number, to: number, share: number): number {
  return from + (to - from) * share * share * (3 - 2 * share);
}

/** The parameter of the curve at a share of the horizontal way (its control points lie in the middle). */
export function parameterAt(share: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 24; i++) {
    const t = (low + high) / 2;
    if (1.5 * t * (1 - t) + t ** 3 < share) low = t;
    else high = t;
  }
  return (low + high) / 2;
}
