/** Binary frames: bytes of a message in, a header and named arrays out. Arrays are views; nothing is copied. */

import type { RunNumber } from "./protocol";

export type Values = Float32Array | Uint8Array | Uint32Array;

export interface NamedArray {
  values: Values;
  shape: number[];
}

export interface FrameHeader {
  type: "frame";
  run: RunNumber;
  step: number;
  epoch: number;
  train_loss: number | null;
  test_loss: number | null;
  train_score: number | null;
  test_score: number | null;
  score_name: string;
  learning_rate: number;
  steps_done: number;
  diverged: boolean;
  finished: boolean;
  arrays: { name: string; dtype: string; shape: number[] }[];
}

export interface Frame {
  header: FrameHeader;
  arrays: Map<string, NamedArray>;
}

const ALIGNMENT = 8;
const KINDS = { f4: Float32Array, u1: Uint8Array, u4: Uint32Array } as const;

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** The frame in these bytes; RangeError if they are too short or hold an unknown kind of numbers. */
export function decodeFrame(bytes: ArrayBuffer): Frame {
  const length = new DataView(bytes).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(bytes, 4, length));
  const header = JSON.parse(text) as FrameHeader;
  const arrays = new Map<string, NamedArray>();
  let offset = aligned(4 + length);
  for (const { name, dtype, shape } of header.arrays) {
    const Kind = KINDS[dtype as keyof typeof KINDS];
    if (!Kind) throw new RangeError(`the array ${name} of a frame has the unknown kind ${dtype}`);
    const size = shape.reduce((product, n) => product * n, 1);
    arrays.set(name, { values: new Kind(bytes, offset, size), shape });
    offset += aligned(size * Kind.BYTES_PER_ELEMENT);
  }
  return { header, arrays };
}

/** The bytes of a frame with these arrays: what the server sends; for tests and the mock. */
export function encodeFrame(header: Omit<FrameHeader, "arrays">, arrays: Record<string, NamedArray>): ArrayBuffer {
  const listed = Object.entries(arrays).map(([name, { values, shape }]) => {
    const dtype = values instanceof Float32Array ? "f4" : values instanceof Uint8Array ? "u1" : "u4";
    return { name, dtype, shape };
  });
  let text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: listed }));
  const padded = new Uint8Array(aligned(4 + text.length) - 4).fill(32);
  padded.set(text);
  text = padded;
  const sizes = Object.values(arrays).map(({ values }) => aligned(values.byteLength));
  const bytes = new Uint8Array(4 + text.length + sizes.reduce((a, b) => a + b, 0));
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  let offset = 4 + text.length;
  Object.values(arrays).forEach(({ values }, i) => {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += sizes[i] ?? 0;
  });
  return bytes.buffer;
}
