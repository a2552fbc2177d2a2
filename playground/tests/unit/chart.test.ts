import { describe, expect, it } from "vitest";
import { axisLabels, chartData, chartOptions, sentences } from "../../src/lib/chart";

const point = (step: number, train_loss: number | null, test_loss: number | null) => {
  return { step, epoch: step / 25, train_loss, test_loss, train_score: null, test_score: null };
};
const first = { name: "A", points: [point(0, 1, 3), point(10, 2, 4)] };
const second = { name: "B", points: [point(0, 5, 7), point(5, 0, null)] };

describe("labels of an axis", () => {
  it.each([
    [[0, 0.1, 0.2], ["0", "0.1", "0.2"]],
    [[0.6931, 0.6932, 0.6933], ["0.6931", "0.6932", "0.6933"]],
    [[95, 100, 105], ["95", "100", "105"]],
    [[0.001, null, 0.01, 10000], ["0.001", "", "0.01", "10,000"]],
    [[], []],
  ])("of %j are %j", (splits, labels) => {
    expect(axisLabels(splits)).toEqual(labels);
  });
});

describe("the chart of losses", () => {
  it("gives two runs one column of steps, with gaps", () => {
    expect(chartData([first, second], false)).toEqual([
      [0, 5, 10],
      [1, undefined, 2],
      [3, undefined, 4],
      [5, 0, undefined],
      [7, null, undefined],
    ]);
  });

  it("shows nothing that is not positive on a logarithmic scale", () => {
    expect(chartData([second], true)).toEqual([
      [0, 5],
      [5, null],
      [7, null],
    ]);
    const palette = { text: "", grid: "", runs: ["red", "blue"] };
    const options = chartOptions([first, second], true, palette, { width: 300, height: 100 });
    expect(options.scales?.["y"]?.distr).toBe(3);
    expect(options.series.map(({ stroke }) => stroke)).toEqual([undefined, "red", "red", "blue", "blue"]);
  });

  it("says where each run stands", () => {
    expect(sentences([{ ...first, points: [point(1200, 0.12345, null)] }])).toBe(
      "Step 1,200: training loss 0.123, test loss not finite.",
    );
    expect(sentences([first, second], 0)).toBe(
      "Run A, step 0: training loss 1.00, test loss 3.00. Run B, step 0: training loss 5.00, test loss 7.00.",
    );
    expect(sentences([{ name: "A", points: [] }])).toBe("");
  });
});
