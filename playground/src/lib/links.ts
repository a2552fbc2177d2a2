/** Draws the weights as curves on a canvas, and finds the one under the pointer. */

import type { NamedArray } from "./frames";
import { curve, parameterAt, type Geometry, type Link } from "./geometry";

export interface Drawing {
  geometry: Geometry;
  /** Weights of each layer, from the first on. */
  weights: NamedArray[];
  /** Row of the first column for each row of the first weight matrix. */
  inputRows: number[];
  negative: string;
  positive: string;
  chosen: Link | null;
}

const NEAR = 7;
const NEAR_A_FINGER = 16;
const FEW_LINKS = 96;
const MOST_LINKS_BETWEEN = 64 * 64;

export function widthOf(weight: number): number {
  return Math.min(9, 0.6 + 2.4 * Math.sqrt(Math.abs(weight)));
}

function opacityOf(weight: number): number {
  return 0.18 + 0.72 * Math.min(1, Math.abs(weight));
}

/** Many links are drawn finer and paler, so that strong ones still stand out: 1 for few, towards 0 for many. */
export function fineness(links: number): number {
  return Math.min(1, Math.sqrt(FEW_LINKS / Math.max(1, links)));
}

interface Ends {
  x: [number, number];
  from: number[];
  to: number[];
}

/** Ends of the links into layer k: right edges of its inputs and left edges of its units. */
export function endsOf({ geometry, inputRows }: Pick<Drawing, "geometry" | "inputRows">, layer: number): Ends {
  const { x, y, sides } = geometry;
  const rows = y[layer - 1] ?? [];
  const from = layer === 1 ? inputRows.map((row) => rows[row] ?? 0) : rows;
  return { x: [x[layer - 1]! + sides[layer - 1]! / 2, x[layer]! - sides[layer]! / 2], from, to: y[layer] ?? [] };
}

export function drawLinks(canvas: HTMLCanvasElement, drawing: Drawing): void {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [drawing.geometry.width, drawing.geometry.height];
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  drawing.weights.forEach((weights, i) => drawLayer(context, drawing, weights, i + 1));
  if (drawing.chosen) drawChosen(context, drawing, drawing.chosen);
}

function drawLayer(context: CanvasRenderingContext2D, drawing: Drawing, weights: NamedArray, layer: number): void {
  const { x, from, to } = endsOf(drawing, layer);
  const units = weights.shape[1] ?? 0;
  const least = from.length * to.length > MOST_LINKS_BETWEEN / 4 ? 0.05 : 0;
  const fine = fineness(from.length * to.length);
  for (let input = 0; input < from.length; input++) {
    for (let unit = 0; unit < to.length; unit++) {
      const weight = weights.values[input * units + unit] ?? 0;
      if (!Number.isFinite(weight) || Math.abs(weight) < least) continue;
      context.globalAlpha = opacityOf(weight) * Math.max(0.3, fine);
      context.strokeStyle = weight < 0 ? drawing.negative : drawing.positive;
      context.lineWidth = widthOf(weight) * Math.max(0.3, fine);
      stroke(context, x, from[input]!, to[unit]!);
    }
  }
  context.globalAlpha = 1;
}

function drawChosen(context: CanvasRenderingContext2D, drawing: Drawing, { layer, input, unit }: Link): void {
  const weights = drawing.weights[layer - 1];
  if (!weights) return;
  const { x, from, to } = endsOf(drawing, layer);
  if (from[input] === undefined || to[unit] === undefined) return;
  const weight = weights.values[input * (weights.shape[1] ?? 0) + unit] ?? 0;
  context.strokeStyle = weight < 0 ? drawing.negative : drawing.positive;
  context.lineWidth = widthOf(weight) + 3;
  stroke(context, x, from[input], to[unit]);
}

function stroke(context: CanvasRenderingContext2D, [left, right]: [number, number], from: number, to: number): void {
  const middle = (left + right) / 2;
  context.beginPath();
  context.moveTo(left, from);
  context.bezierCurveTo(middle, from, middle, to, right, to);
  context.stroke();
}

/** The link at this place of the diagram, or the nearest one within a few pixels. */
export function linkAt(drawing: Drawing, x: number, y: number, finger: boolean): Link | null {
  for (let layer = 1; layer <= drawing.weights.length; layer++) {
    const ends = endsOf(drawing, layer);
    if (x < ends.x[0] || x > ends.x[1]) continue;
    return nearest(ends, layer, parameterAt((x - ends.x[0]) / (ends.x[1] - ends.x[0])), y, finger);
  }
  return null;
}

function nearest({ from, to }: Ends, layer: number, t: number, y: number, finger: boolean): Link | null {
  let best: Link | null = null;
  let distance = finger ? NEAR_A_FINGER : NEAR;
  for (let input = 0; input < from.length; input++) {
    for (let unit = 0; unit < to.length; unit++) {
      const off = Math.abs(curve(from[input]!, to[unit]!, t) - y);
      if (off >= distance) continue;
      distance = off;
      best = { layer, input, unit };
    }
  }
  return best;
}
