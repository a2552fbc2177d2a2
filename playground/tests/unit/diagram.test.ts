import { describe, expect, it } from "vitest";
import { curve, geometryOf, parameterAt } from "../../src/lib/geometry";
import { endsOf, linkAt, type Drawing } from "../../src/lib/links";
import { signed } from "../../src/lib/maps";

const zeros = (rows: number, columns: number) => ({ values: new Float32Array(rows * columns), shape: [rows, columns] });

function drawing(): Drawing {
  const geometry = geometryOf({ rows: [7, 4, 1], width: 640 });
  const colours = { negative: "#00f", positive: "#f80" };
  return { geometry, weights: [zeros(2, 4), zeros(4, 1)], inputRows: [0, 4], ...colours, chosen: null };
}

describe("the diagram", () => {
  it("uses the width it has and grows beyond it for many layers", () => {
    expect(geometryOf({ rows: [7, 4, 2, 1], width: 640 }).width).toBeLessThanOrEqual(640);
    expect(geometryOf({ rows: [7, ...Array<number>(20).fill(4), 1], width: 640 }).width).toBeGreaterThan(2000);
  });

  it("draws units of wide layers smaller, and never over each other", () => {
    const { sides, y } = geometryOf({ rows: [7, 64], width: 640 });
    expect(sides[1]).toBeLessThan(sides[0]!);
    const gaps = y[1]!.slice(1).map((at, i) => at - y[1]![i]!);
    expect(Math.min(...gaps)).toBeGreaterThan(sides[1]!);
  });

  it("follows the cubic curve with control points in the middle", () => {
    for (const share of [0, 0.1, 0.5, 0.8, 1]) {
      const t = parameterAt(share);
      expect(1.5 * t * (1 - t) ** 2 + 1.5 * t ** 2 * (1 - t) + t ** 3).toBeCloseTo(share, 5);
      const bernstein = 10 * ((1 - t) ** 3 + 3 * t * (1 - t) ** 2) + 90 * (3 * t ** 2 * (1 - t) + t ** 3);
      expect(curve(10, 90, t)).toBeCloseTo(bernstein, 6);
    }
  });

  it("finds every link at both of its ends, and none far from all", () => {
    const given = drawing();
    const { x, from, to } = endsOf(given, 1);
    from.forEach((fromY, input) => {
      to.forEach((toY, unit) => {
        const t = parameterAt(0.99);
        const found = linkAt(given, x[0] + 0.99 * (x[1] - x[0]), curve(fromY, toY, t), false);
        expect(found).toMatchObject({ layer: 1, unit });
        const begin = linkAt(given, x[0] + 0.01 * (x[1] - x[0]), curve(fromY, toY, parameterAt(0.01)), false);
        expect(begin).toMatchObject({ layer: 1, input });
      });
    });
    expect(linkAt(given, (x[0] + x[1]) / 2, 0, false)).toBeNull();
    expect(linkAt(given, 0, from[0]!, false)).toBeNull();
  });
});

describe("signed", () => {
  it("puts numbers between -1 and 1", () => {
    expect(signed(0, [0, 10])).toBe(-1);
    expect(signed(5, [0, 10])).toBe(0);
    expect(signed(99, [0, 10])).toBe(1);
    expect(signed(3, [3, 3])).toBe(0);
  });
});
