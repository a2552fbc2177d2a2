import { describe, expect, it } from "vitest";
import { layerStatistics, logShare } from "../../src/lib/statistics";

const arrays = new Map([
  ["gradient_norms", { values: new Float32Array([1e-3, 1]) }],
  ["dead1", { values: new Uint8Array([0, 1, 1]) }],
  ["histogram1", { values: new Uint32Array([0, 2, 4]) }],
  ["histogram_range1", { values: new Float32Array([-0.5, 0.5]) }],
]);

describe("the statistics of a frame", () => {
  it("have a row for each layer; the output has no dead units", () => {
    const [hidden, output] = layerStatistics(arrays);
    expect(hidden).toMatchObject({ name: "layer 1", dead: 2, units: 3, bars: [0, 0.5, 1], range: [-0.5, 0.5] });
    expect(hidden?.gradientShare).toBeCloseTo(0.5);
    expect(output).toMatchObject({ name: "output", gradient: 1, dead: null, range: null });
    expect(layerStatistics(new Map())).toEqual([]);
  });

  it("stand on a logarithmic scale from 1e-8 to 100, and nothing falls off it", () => {
    expect([0, NaN, 1e-9, 1e-8, 1e-3, 100, 1e9].map(logShare)).toEqual([0, 0, 0, 0, 0.5, 1, 1]);
  });
});
