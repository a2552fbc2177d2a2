import { describe, expect, it } from "vitest";
import { about, planeColumns, suggestedData, targetColumns, withColumn } from "../../src/lib/axes";
import { differences } from "../../src/lib/differences";
import { documentIn, DOCUMENT_LIMIT } from "../../src/lib/documents";
import { answer, refusal } from "../../src/lib/upload";

describe("differences of settings", () => {
  it("are none for equal settings", () => {
    expect(differences({ a: 1, layers: [{ units: 4 }] }, { a: 1, layers: [{ units: 4 }] })).toEqual([]);
  });

  it("name what differs, in layers and in lists, too", () => {
    const first = { learning_rate: 0.03, features: ["x1"], layers: [{ units: 4, activation: "tanh" }], data: { seed: 0 } };
    const second = { learning_rate: 0.1, features: ["x1", "x2"], layers: [], data: { seed: 1 } };
    expect(differences(first, second)).toEqual([
      { name: "learning rate", values: ["0.03", "0.1"] },
      { name: "features", values: ["x1", "x1, x2"] },
      { name: "layers", values: ["4 tanh", "none"] },
      { name: "data: seed", values: ["0", "1"] },
    ]);
  });
});

describe("differences of layers", () => {
  const layers = (...names: string[]) => ({ layers: names.map((activation) => ({ units: 8, activation })) });

  it("that are the same for several layers are named once", () => {
    expect(differences(layers("tanh", "tanh", "tanh"), layers("relu", "relu", "relu"))).toEqual([
      { name: "layers 1 to 3: activation", values: ["tanh", "relu"] },
    ]);
    expect(differences(layers("tanh", "tanh", "tanh"), layers("relu", "tanh", "relu"))).toEqual([
      { name: "layers 1 and 3: activation", values: ["tanh", "relu"] },
    ]);
    expect(differences(layers("tanh"), layers("tanh", "relu"))).toEqual([
      { name: "layer 2", values: ["none", "8 relu"] },
    ]);
  });
});

describe("an upload", () => {
  it("is refused before it is sent if it is empty or too large", () => {
    expect(refusal({ name: "a.csv", size: 0 })).toMatch(/empty/);
    expect(refusal({ name: "a.csv", size: 64 * 2 ** 20 })).toBeNull();
    expect(refusal({ name: "a.csv", size: 64 * 2 ** 20 + 1 })).toMatch(/64\.0 MB; the page takes at most 64 MB/);
  });

  it("gives the server's table or its message", () => {
    expect(answer(200, '{"table": {"name": "a.csv"}}')).toEqual({ name: "a.csv" });
    expect(() => answer(400, '{"error": "one column"}')).toThrow("one column");
    expect(() => answer(502, "<html>")).toThrow("502");
  });
});

const column = (name: string, kind: string, levels: number, missing = 0) => ({ name, kind, levels, missing });
const table = {
  name: "things.csv",
  rows: 50,
  sampled: false,
  note: "",
  columns: [column("a", "number", 9), column("b", "date", 9), column("c", "number", 1), column("d", "category", 3, 2)],
  suggested: { columns: ["a", "b"], target: "d", task: "classification" },
};

describe("columns of a table", () => {
  it("span the plane if they have an order and vary", () => {
    const data = suggestedData(table)!;
    expect(data).toMatchObject({ source: "table", columns: ["a", "b"], target: "d", rows: 50 });
    expect(planeColumns(table, data).map(({ name }) => name)).toEqual(["a", "b"]);
    expect(targetColumns(table, data).map(({ name }) => name)).toEqual(["d"]);
  });

  it("change places rather than being the same", () => {
    const data = suggestedData(table)!;
    expect(withColumn(data, 0, "b").columns).toEqual(["b", "a"]);
    expect(withColumn(data, 1, "a").columns).toEqual(["b", "a"]);
    expect(withColumn(data, 1, "z").columns).toEqual(["a", "z"]);
  });

  it("are described", () => {
    expect(table.columns.map(about)).toEqual(["a (number)", "b (date, 9 values)", "c (number)", "d (category, 3 values, 2 missing)"]);
  });
});

describe("a saved run", () => {
  const file = (text: string, size = text.length) => ({ name: "saved.json", size, text: () => Promise.resolve(text) });

  it("is an object in JSON", async () => {
    expect(await documentIn(file('{"version": 1}'))).toEqual({ version: 1 });
    await expect(documentIn(file("step 3"))).rejects.toThrow("it is not JSON. Choose a file that Save has made.");
    for (const text of ["[1, 2]", "3", "null"]) await expect(documentIn(file(text))).rejects.toThrow("other JSON");
    await expect(documentIn(file("{}", DOCUMENT_LIMIT + 1))).rejects.toThrow("larger than 32 MB");
  });
});
