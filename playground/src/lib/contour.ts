/** Lines on the plane: where one class gives way to another, or where predictions are equal. */

import { contours } from "d3-contour";
import type { Plane } from "./maps";

const LEVELS_OF_NUMBERS = 5;

/** How much more probable class k is than the best of the others, at each place. */
function lead({ values, outputs, size }: Plane, k: number): number[] {
  const cells = size * size;
  return Array.from({ length: cells }, (_, i) => {
    let best = -Infinity;
    for (let other = 0; other < outputs; other++) if (other !== k) best = Math.max(best, values[other * cells + i]!);
    return values[k * cells + i]! - best;
  });
}

/** Values and the levels at which lines are drawn. */
function fields(plane: Plane, range: [number, number], classes: boolean): { values: number[]; levels: number[] }[] {
  if (plane.outputs > 1) return Array.from({ length: plane.outputs }, (_, k) => ({ values: lead(plane, k), levels: [0] }));
  const [low, high] = range;
  const parts = classes ? 2 : LEVELS_OF_NUMBERS + 1;
  const levels = Array.from({ length: parts - 1 }, (_, i) => low + ((high - low) * (i + 1)) / parts);
  return [{ values: Array.from(plane.values), levels }];
}

/** Draws the lines on a square of `side` pixels whose first and last samples lie on its edges. */
export function drawContours(
  context: CanvasRenderingContext2D,
  plane: Plane,
  range: [number, number],
  classes: boolean,
  side: number,
): void {
  const place = (v: number): number => ((v - 0.5) / (plane.size - 1)) * side;
  context.beginPath();
  for (const { values, levels } of fields(plane, range, classes)) {
    if (!values.every(Number.isFinite)) continue;
    const found = contours().size([plane.size, plane.size]).thresholds(levels)(values);
    for (const ring of found.flatMap(({ coordinates }) => coordinates.flat())) {
      ring.forEach(([x = 0, y = 0], i) => {
        if (i === 0) context.moveTo(place(x), side - place(y));
        else context.lineTo(place(x), side - place(y));
      });
    }
  }
  context.stroke();
}
