/** Colours of classes and of numbers: those of the plots, which people with colour blindness can distinguish. */

import type { Theme } from "./theme.svelte";

export type Colour = [number, number, number];

/** Okabe and Ito 2008, and three more for tables of many classes. The first stands for the first class and for negative numbers, the second for positive ones. */
export const CLASS_COLOURS = [
  ...["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#808080"],
  ...["#F0E442", "#332288", "#882255"],
];

const NEUTRAL: Record<Theme, Colour> = { light: [247, 249, 251], dark: [27, 33, 41] };
/** Share of the full colour at the ends of a map, so that points stay visible on it. */
const MAP_STRENGTH: Record<Theme, number> = { light: 0.72, dark: 0.62 };
const LEVELS = 256;

/** Weights, drawn as lines: brighter on dark. */
export const LINES: Record<Theme, { negative: string; positive: string }> = {
  light: { negative: "#0072B2", positive: "#D55E00" },
  dark: { negative: "#3F9BD8", positive: "#EE7D2B" },
};

export function rgb(hex: string): Colour {
  const number = parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

export function classColour(index: number): string {
  return CLASS_COLOURS[index % CLASS_COLOURS.length] ?? "#808080";
}

export function mixed(from: Colour, to: Colour, share: number): Colour {
  return [0, 1, 2].map((i) => Math.round(from[i]! + (to[i]! - from[i]!) * share)) as Colour;
}

/** One number that writes a pixel of an ImageData seen as Uint32Array; the bytes are red, green, blue, opacity. */
export function pixel([red, green, blue]: Colour): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The colour of a map where a class is certain. */
export function certain(index: number, theme: Theme): Colour {
  return mixed(NEUTRAL[theme], rgb(classColour(index)), MAP_STRENGTH[theme]);
}

export function neutral(theme: Theme): Colour {
  return NEUTRAL[theme];
}

const ramps = new Map<Theme, Uint32Array>();

/** Pixels for 0 (most negative) to 255 (most positive); the middle is neutral. */
export function ramp(theme: Theme): Uint32Array {
  const made = ramps.get(theme);
  if (made) return made;
  const pixels = Uint32Array.from({ length: LEVELS }, (_, i) => {
    const value = (2 * i) / (LEVELS - 1) - 1;
    return pixel(mixed(NEUTRAL[theme], certain(value < 0 ? 0 : 1, theme), Math.abs(value)));
  });
  ramps.set(theme, pixels);
  return pixels;
}

/** CSS for a number between -1 and 1, in full colour: points of a regression. */
export function signedColour(value: number, theme: Theme): string {
  const end = rgb(classColour(value < 0 ? 0 : 1));
  return `rgb(${mixed(NEUTRAL[theme], end, Math.min(1, Math.abs(value))).join(" ")})`;
}
