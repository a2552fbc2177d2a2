/** Draws the rows of the data on the plane: training rows as discs, test rows as diamonds with a dark edge. */

import { classColour, signedColour } from "./colours";
import { signed } from "./maps";
import type { DataDescription, Point } from "./protocol";
import type { Theme } from "./theme.svelte";

export interface Placed {
  side: number;
  theme: Theme;
}

const RADIUS = 3.2;
const DIAMOND = 4.2;

/** The numbers that have full colour. Where targets have both signs, zero is in the middle and neutral. */
export function targetRange(data: DataDescription): [number, number] {
  if (data.classes) return [0, 1];
  const [low, high] = data.target_range ?? [-1, 1];
  const most = Math.max(-low, high);
  return low < 0 && high > 0 ? [-most, most] : [low, high];
}

function fill(data: DataDescription, y: number, theme: Theme): string {
  return data.classes ? classColour(y) : signedColour(signed(y, targetRange(data)), theme);
}

function disc(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.arc(x, y, RADIUS, 0, 2 * Math.PI);
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.moveTo(x, y - DIAMOND);
  context.lineTo(x + DIAMOND, y);
  context.lineTo(x, y + DIAMOND);
  context.lineTo(x - DIAMOND, y);
  context.closePath();
}

export function drawPoints(context: CanvasRenderingContext2D, data: DataDescription, test: boolean, at: Placed): void {
  context.lineWidth = 1;
  context.strokeStyle = "#fff";
  drawAll(context, data, data.train, at, disc);
  if (!test) return;
  context.lineWidth = 1.2;
  context.strokeStyle = "#10151b";
  drawAll(context, data, data.test, at, diamond);
}

function drawAll(
  context: CanvasRenderingContext2D,
  data: DataDescription,
  points: Point[],
  { side, theme }: Placed,
  shape: typeof disc,
): void {
  const [across, up] = data.axes;
  for (const [first, second, y] of points) {
    context.beginPath();
    const x = (side * (first - across.low)) / (across.high - across.low);
    shape(context, x, side - (side * (second - up.low)) / (up.high - up.low));
    context.fillStyle = fill(data, y, theme);
    context.fill();
    context.stroke();
  }
}
