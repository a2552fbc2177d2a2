/** Draws maps: numbers over the plane become pixels. Rows of a map go from the bottom up, those of a picture down. */

import { certain, mixed, neutral, pixel, ramp, type Colour } from "./colours";
import type { NamedArray } from "./frames";
import type { Theme } from "./theme.svelte";

export interface Plane {
  values: Float32Array;
  outputs: number;
  size: number;
}

/** The output of the network over the plane, from its array [outputs, R, R]. */
export function planeOf(array: NamedArray): Plane {
  const [outputs = 1, size = 0] = array.shape;
  return { values: array.values as Float32Array, outputs, size };
}

type PixelOf = (index: number) => number;

/** Sets the canvas to size × size pixels, each with the colour of its number. */
export function paint(canvas: HTMLCanvasElement, size: number, pixelOf: PixelOf): void {
  if (canvas.width !== size || canvas.height !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < size; row++) {
    const from = (size - 1 - row) * size;
    for (let column = 0; column < size; column++) pixels[row * size + column] = pixelOf(from + column);
  }
  context.putImageData(image, 0, 0);
}

/** The map of one unit: bytes from 0 (most negative) to 255 (most positive). */
export function paintUnit(canvas: HTMLCanvasElement, map: NamedArray, unit: number, theme: Theme): void {
  const [, size = 0] = map.shape;
  const offset = unit * size * size;
  const colours = ramp(theme);
  paint(canvas, size, (i) => colours[map.values[offset + i] ?? 0] ?? 0);
}

/** Where a number lies between low and high, from -1 to 1. */
export function signed(value: number, [low, high]: [number, number]): number {
  if (high <= low) return 0;
  return Math.max(-1, Math.min(1, (2 * (value - low)) / (high - low) - 1));
}

function fromSigned(value: number, colours: Uint32Array, discrete: boolean): number {
  const shown = discrete ? (value < 0 ? -1 : 1) : value;
  return colours[Math.round(127.5 + 127.5 * (Number.isFinite(shown) ? shown : 0))] ?? 0;
}

/** One output: a class's probability, or predictions between the ends of `range`. */
export function paintNumbers(
  canvas: HTMLCanvasElement,
  plane: Plane,
  output: number,
  range: [number, number],
  discrete: boolean,
  theme: Theme,
): void {
  const offset = output * plane.size * plane.size;
  if (plane.outputs > 1) {
    const [from, to] = [neutral(theme), certain(output, theme)];
    paint(canvas, plane.size, (i) => pixel(mixed(from, to, Math.max(0, Math.min(1, plane.values[offset + i] ?? 0)))));
    return;
  }
  const colours = ramp(theme);
  paint(canvas, plane.size, (i) => fromSigned(signed(plane.values[offset + i] ?? 0, range), colours, discrete));
}

/** The class with the greatest number at this place of the plane. */
export function greatest({ values, outputs, size }: Plane, index: number): number {
  let best = 0;
  for (let k = 1; k < outputs; k++) {
    if (values[k * size * size + index]! > values[best * size * size + index]!) best = k;
  }
  return best;
}

/** k classes: the most probable one's colour, paler where it is less certain. */
export function paintClasses(canvas: HTMLCanvasElement, plane: Plane, discrete: boolean, theme: Theme): void {
  const cells = plane.size * plane.size;
  const ends = Array.from({ length: plane.outputs }, (_, k) => certain(k, theme));
  const full = ends.map(pixel);
  paint(canvas, plane.size, (i) => {
    const best = greatest(plane, i);
    if (discrete) return full[best] ?? 0;
    const probability = plane.values[best * cells + i] ?? 0;
    return pixel(mixed(neutral(theme), ends[best] as Colour, certainty(probability, plane.outputs)));
  });
}

/** 0 where no class is more probable than another, 1 where one is certain. */
function certainty(probability: number, classes: number): number {
  const share = (probability - 1 / classes) / (1 - 1 / classes);
  return Math.max(0, Math.min(1, share)) ** 0.8;
}
