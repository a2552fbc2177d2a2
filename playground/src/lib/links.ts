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
const MANY_LINKS = 400;
const LEAST_OF_MANY = 0.02;
/** Strengths of many links that are told apart, and the greatest. */
const STRENGTH = 0.125;
const MOST_SHOWN = 2;
const FINEST = 0.3;

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

/** Links that are drawn in one stroke: of one sign and about one strength. */
interface Bundle {
  weight: number;
  curves: Path2D;
}

/** Few links have a bundle each; many share a few, which is what keeps wide layers quick. */
function bundles(drawing: Drawing, weights: NamedArray, layer: number): Iterable<Bundle> {
  const { x, from, to } = endsOf(drawing, layer);
  const units = weights.shape[1] ?? 0;
  const many = from.length * to.length > MANY_LINKS;
  const found = new Map<number, Bundle>();
  for (let input = 0; input < from.length; input++) {
    for (let unit = 0; unit < to.length; unit++) {
      const weight = weights.values[input * units + unit] ?? 0;
      if (!Number.isFinite(weight) || (many && Math.abs(weight) < LEAST_OF_MANY)) continue;
      const key = many ? Math.sign(weight) * Math.ceil(Math.min(MOST_SHOWN, Math.abs(weight)) / STRENGTH) : found.size;
      const bundle = found.get(key) ?? { weight: many ? key * STRENGTH : weight, curves: new Path2D() };
      found.set(key, bundle);
      addCurve(bundle.curves, x, from[input]!, to[unit]!);
    }
  }
  return found.values();
}

function drawLayer(context: CanvasRenderingContext2D, drawing: Drawing, weights: NamedArray, layer: number): void {
  const { from, to } = endsOf(drawing, layer);
  const fine = Math.max(FINEST, fineness(from.length * to.length));
  for (const { weight, curves } of bundles(drawing, weights, layer)) {
    context.globalAlpha = opacityOf(weight) * fine;
    context.strokeStyle = weight < 0 ? drawing.negative : drawing.positive;
    context.lineWidth = widthOf(weight) * fine;
    context.stroke(curves);
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
  const path = new Path2D();
  addCurve(path, x, from[input], to[unit]);
  context.stroke(path);
}

function addCurve(path: Path2D, [left, right]: [number, number], from: number, to: number): void {
  const middle = (left + right) / 2;
  path.moveTo(left, from);
  path.bezierCurveTo(middle, from, middle, to, right, to);
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
