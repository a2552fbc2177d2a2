import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame, type FrameHeader } from "../../src/lib/frames";

const header: Omit<FrameHeader, "arrays"> = {
  type: "frame",
  run: 0,
  step: 120,
  epoch: 4.8,
  train_loss: 0.31,
  test_loss: null,
  train_score: 0.9,
  test_score: 0.88,
  score_name: "accuracy",
  learning_rate: 0.03,
  steps_done: 40,
  diverged: false,
  finished: false,
};

/** A frame as bytes written by hand: no code is shared with the decoder. */
function byHand(): ArrayBuffer {
  const arrays = [
    { name: "map1", dtype: "u1", shape: [1, 3] },
    { name: "biases1", dtype: "f4", shape: [2] },
  ];
  const json = JSON.stringify({ ...header, arrays });
  const length = json.length + ((8 - ((json.length + 4) % 8)) % 8);
  const bytes = new ArrayBuffer(4 + length + 8 + 8);
  const view = new DataView(bytes);
  view.setUint32(0, length, true);
  json.padEnd(length, " ").split("").forEach((letter, i) => view.setUint8(4 + i, letter.charCodeAt(0)));
  [7, 8, 255].forEach((value, i) => view.setUint8(4 + length + i, value));
  [0.5, -2].forEach((value, i) => view.setFloat32(4 + length + 8 + 4 * i, value, true));
  return bytes;
}

describe("decodeFrame", () => {
  it("reads the header and each padded array", () => {
    const frame = decodeFrame(byHand());
    expect(frame.header.step).toBe(120);
    expect(frame.header.test_loss).toBeNull();
    expect(Array.from(frame.arrays.get("map1")!.values)).toEqual([7, 8, 255]);
    expect(Array.from(frame.arrays.get("biases1")!.values)).toEqual([0.5, -2]);
    expect(frame.arrays.get("map1")!.shape).toEqual([1, 3]);
  });

  it("reads what encodeFrame wrote", () => {
    const histogram = { values: new Uint32Array([1, 2, 3]), shape: [3] };
    const weights = { values: new Float32Array([1, -1]), shape: [1, 2] };
    const frame = decodeFrame(encodeFrame(header, { histogram1: histogram, weights1: weights }));
    expect(Array.from(frame.arrays.get("weights1")!.values)).toEqual([1, -1]);
    expect(Array.from(frame.arrays.get("histogram1")!.values)).toEqual([1, 2, 3]);
  });

  it("refuses an unknown kind of numbers and a frame that is too short", () => {
    const wrong = new Uint8Array(byHand());
    const at = Buffer.from(wrong).indexOf('"f4"');
    wrong[at + 2] = "8".charCodeAt(0);
    expect(() => decodeFrame(wrong.buffer)).toThrow("biases1 of a frame has the unknown kind f8");
    expect(() => decodeFrame(byHand().slice(0, -8))).toThrow(RangeError);
  });
});
