/**
 * What the statistics of a frame look like as bars.
 * Takes the arrays of a frame; returns rows of numbers and words; never touches the page.
 */

type Arrays = Map<string, { values: ArrayLike<number> }>;

export interface LayerStatistics {
  name: string;
  gradient: number | null;
  /** Share of the bar, from 1e-8 (none) to 100 (all). */
  gradientShare: number;
  dead: number | null;
  units: number;
  bars: number[];
  range: [number, number] | null;
}

const LOWEST = -8;
const HIGHEST = 2;

/** Where a positive number stands between 1e-8 and 100 on a logarithmic scale, as a share. */
export function logShare(value: number): number {
  if (!(value > 0)) return 0;
  return Math.min(1, Math.max(0, (Math.log10(value) - LOWEST) / (HIGHEST - LOWEST)));
}

function bars(counts: ArrayLike<number> | undefined): number[] {
  const all = Array.from(counts ?? []);
  const most = Math.max(1, ...all);
  return all.map((count) => count / most);
}

/** One row for each layer, the hidden ones first and the output last; none if the frame has no statistics. */
export function layerStatistics(arrays: Arrays): LayerStatistics[] {
  const norms = arrays.get("gradient_norms")?.values;
  if (!norms) return [];
  return Array.from(norms).map((gradient, at) => {
    const dead = arrays.get(`dead${at + 1}`)?.values;
    const range = arrays.get(`histogram_range${at + 1}`)?.values;
    return {
      name: at + 1 === norms.length ? "output" : `layer ${at + 1}`,
      gradient: Number.isFinite(gradient) ? gradient : null,
      gradientShare: logShare(gradient),
      dead: dead ? Array.from(dead).reduce((sum, each) => sum + each, 0) : null,
      units: dead?.length ?? 0,
      bars: bars(arrays.get(`histogram${at + 1}`)?.values),
      range: range ? [range[0]!, range[1]!] : null,
    };
  });
}
