/**
 * What the chart of losses looks like, and what it says.
 * Takes histories and a palette; returns uPlot's options, data and sentences; never touches the page.
 */

import type { AlignedData, Axis, Options, Series } from "uplot";
import type { HistoryPoint } from "./run.svelte";

export interface Curve {
  name: string;
  points: HistoryPoint[];
}

export interface Palette {
  text: string;
  grid: string;
  runs: string[];
}

/** Labels of an axis: as few digits as tell each from the others; nothing where there is no label. */
export function axisLabels(splits: (number | null)[]): string[] {
  const values = splits.filter((value) => value !== null);
  const gaps = values.slice(1).map((value, at) => Math.abs(value - values[at]!));
  const least = Math.min(...gaps, ...values.filter((value) => value !== 0).map(Math.abs));
  const rounded = (value: number, digits: number): number => Number(value.toPrecision(digits));
  let digits = 1;
  while (digits < 15 && values.some((value) => Math.abs(rounded(value, digits) - value) > least / 100)) digits += 1;
  return splits.map((value) => (value === null ? "" : rounded(value, digits).toLocaleString("en", { maximumSignificantDigits: 15 })));
}

const LABEL_ROOM = 48;
const roomFor = (labels: string[] | null): number => Math.max(LABEL_ROOM, 18 + 6.5 * Math.max(0, ...(labels ?? []).map((l) => l.length)));

const figures = (value: number | null): string => (value === null ? "not finite" : value.toPrecision(3));

/** Steps of all curves, and each curve's losses at them: undefined where a run has no point, null where it has no loss. */
export function chartData(curves: Curve[], logarithmic: boolean): AlignedData {
  const steps = [...new Set(curves.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const at = new Map(steps.map((step, index) => [step, index]));
  const column = (points: HistoryPoint[], loss: "train_loss" | "test_loss"): (number | null | undefined)[] => {
    const values = new Array<number | null | undefined>(steps.length).fill(undefined);
    for (const point of points) {
      const value = point[loss];
      values[at.get(point.step) ?? 0] = logarithmic && value !== null && value <= 0 ? null : value;
    }
    return values;
  };
  const columns = curves.flatMap(({ points }) => [column(points, "train_loss"), column(points, "test_loss")]);
  return [steps, ...columns];
}

/** A sentence for each run: where it stands at the given step, or at its newest. */
export function sentences(curves: Curve[], step?: number): string {
  return curves
    .map(({ name, points }) => {
      const point = points.find((each) => step !== undefined && each.step >= step) ?? points.at(-1);
      if (!point) return "";
      const run = curves.length > 1 ? `Run ${name}, ` : "";
      const losses = `training loss ${figures(point.train_loss)}, test loss ${figures(point.test_loss)}`;
      return `${run}${curves.length > 1 ? "step" : "Step"} ${point.step.toLocaleString("en")}: ${losses}.`;
    })
    .join(" ");
}

/** uPlot's options for these curves: training solid, test dashed, a color for each run. */
export function chartOptions(
  curves: Curve[],
  logarithmic: boolean,
  palette: Palette,
  size: { width: number; height: number },
): Options {
  const points: Series.Points = { show: (chart) => chart.data[0].length === 1, size: 7 }; // a line needs two
  const series: Series[] = curves.flatMap((curve, index) => {
    const stroke = palette.runs[index] ?? palette.text;
    return [
      { label: `${curve.name} training`, stroke, width: 2, points },
      { label: `${curve.name} test`, stroke, width: 2, dash: [5, 4], points },
    ];
  });
  const axis: Axis = {
    stroke: palette.text,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1 },
    font: "11px system-ui, sans-serif",
  };
  return {
    ...size,
    series: [{ label: "step" }, ...series],
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [
      { ...axis, size: 30 },
      { ...axis, size: (_, labels) => roomFor(labels), values: (_, splits) => axisLabels(splits) },
    ],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
  };
}
