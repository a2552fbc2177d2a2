import { describe, expect, it } from "vitest";
import type { Frame, FrameHeader } from "../../src/lib/frames";
import { firstSettings, type ClientMessage, type ConfiguredMessage } from "../../src/lib/protocol";
import { Run } from "../../src/lib/run.svelte";

function frame(step: number, changes: Partial<FrameHeader> = {}): Frame {
  const losses = { train_loss: 1 / (step + 1), test_loss: 1, train_score: 0.5, test_score: 0.5, score_name: "accuracy" };
  const header = { type: "frame", run: 0, step, epoch: 0, ...losses, learning_rate: 0.1, steps_done: 1 } as const;
  return { header: { ...header, diverged: false, finished: false, arrays: [], ...changes }, arrays: new Map() };
}

function configured(batch_size = 10): ConfiguredMessage {
  const network = { inputs: ["x1"], layers: [1, 1], shown: [1, 1], parameters: 2, activations: ["logistic"] };
  const axis = { name: "x1", low: -6, high: 6 };
  const counts = { n_train: 0, n_test: 0, target_range: null, note: "" };
  const data: ConfiguredMessage["data"] = { axes: [axis, axis], classes: ["0", "1"], train: [], test: [], ...counts };
  return { type: "configured", run: 0, settings: { ...firstSettings(), batch_size }, network, data };
}

function started(): { run: Run; sent: ClientMessage[] } {
  const sent: ClientMessage[] = [];
  const send = (message: ClientMessage): boolean => sent.push(message) > 0;
  const run = new Run(0, send, () => undefined);
  run.replace(firstSettings());
  run.receiveConfigured(configured());
  run.receiveFrame(frame(0));
  return { run, sent };
}

describe("Run", () => {
  it("asks once, and again when the answer has come", () => {
    const { run, sent } = started();
    run.advance(5, false);
    run.advance(5, false);
    expect(sent.filter(({ type }) => type === "advance")).toHaveLength(1);
    run.receiveFrame(frame(5));
    run.advance(5, false);
    expect(sent.filter(({ type }) => type === "advance")).toHaveLength(2);
  });

  it("shows a new network only with its first frame", () => {
    const { run } = started();
    const before = run.network;
    run.receiveConfigured({ ...configured(), network: { ...configured().network, parameters: 99 } });
    expect(run.network).toBe(before);
    run.receiveFrame(frame(0));
    expect(run.network?.parameters).toBe(99);
  });

  it("keeps curves from the start to the last step, however long it trains", () => {
    const { run } = started();
    for (let step = 1; step <= 9000; step++) run.receiveFrame(frame(step));
    const steps = run.history.map(({ step }) => step);
    expect(steps.length).toBeLessThanOrEqual(2000);
    expect(steps.length).toBeGreaterThan(900);
    expect(steps[0]).toBe(0);
    expect(steps.at(-1)).toBeGreaterThan(8980);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it("goes back to the settings that worked", () => {
    const { run } = started();
    run.configure({ optimizer: "perceptron" });
    run.receiveError("the perceptron rule trains a single neuron");
    expect(run.settings.optimizer).toBe("sgd");
    expect(run.error).toContain("perceptron");
  });

  it("begins with built-in data if its first settings are refused, then as the page does", () => {
    const sent: ClientMessage[] = [];
    const run = new Run(0, (message) => sent.push(message) > 0, () => undefined);
    run.replace({ ...firstSettings(), batch_size: 7, data: { ...firstSettings().data, source: "table" } });
    run.receiveError("there is no table");
    run.receiveError("still not");
    run.receiveError("nor now");
    const settings = sent.flatMap((message) => (message.type === "configure" ? [message.settings] : []));
    expect(settings.map(({ data, batch_size }) => [data.source, batch_size])).toEqual([
      ["table", 7],
      ["circle", 7],
      ["circle", 10],
    ]);
  });

  it("loses no change that comes before the answer to the one before", () => {
    const { run, sent } = started();
    const before = sent.length;
    run.configure({ seed: 1 });
    run.configure({ optimizer: "adam" });
    run.change({ learning_rate: 0.5 });
    expect(sent.slice(before).map(({ type }) => type)).toEqual(["configure"]);
    run.receiveConfigured({ ...configured(), settings: { ...firstSettings(), seed: 1 } });
    expect(run.settings).toMatchObject({ seed: 1, optimizer: "adam", learning_rate: 0.5 });
    expect(run.waiting).toBe(true);
    run.receiveFrame(frame(0));
    expect(sent.slice(before)[1]).toMatchObject({ type: "configure", settings: { seed: 1, optimizer: "adam", learning_rate: 0.5 } });
    run.receiveConfigured({ ...configured(), settings: run.settings });
    run.receiveFrame(frame(0));
    expect([run.waiting, sent.length]).toEqual([false, before + 2]);
  });

  it("tries what was chosen while a refusal was on its way", () => {
    const { run, sent } = started();
    run.configure({ optimizer: "perceptron" });
    run.configure({ layers: [] });
    run.receiveError("the perceptron rule trains a single neuron");
    expect(sent.at(-1)).toMatchObject({ type: "configure", settings: { optimizer: "perceptron", layers: [] } });
    expect(run.settings.layers).toEqual([]);
  });

  it("is over when it diverged or its schedule ended", () => {
    const { run } = started();
    expect(run.isOver).toBe(false);
    run.receiveFrame(frame(1, { diverged: true, train_loss: null }));
    expect(run.isOver).toBe(true);
    run.receiveConfigured(configured());
    run.receiveFrame(frame(0));
    run.receiveFrame(frame(1, { finished: true }));
    expect(run.isOver).toBe(true);
  });
});
