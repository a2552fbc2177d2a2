import { describe, expect, it } from "vitest";
import { about, fits, lacksTable, missingTable, planeColumns, suggestedData, targetColumns, withColumn } from "../../src/lib/axes";
import { differences, titlesOf } from "../../src/lib/differences";
import { readDocument, DOCUMENT_LIMIT } from "../../src/lib/documents";
import { firstSettings, type Catalogue } from "../../src/lib/protocol";
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

describe("names of differences", () => {
  const choice = (name: string, title: string) => ({ name, title, help: "" });
  const catalogue = {
    ...{ activations: [choice("relu", "ReLU")], features: [choice("x1", "x₁")], initializers: [choice("he_normal", "He, normal")] },
    ...{ losses: [], optimizers: [], schedules: [], sources: [], good_settings: {} },
    controls: { learning_rate: { title: "Learning rate", help: "" }, activation: { title: "Activation", help: "" } },
  } as unknown as Catalogue;

  it("are those of the catalogue", () => {
    const first = { learning_rate: 1, layers: [{ activation: "relu" }], features: ["x1"], data: { seed: 1 } };
    const second = { learning_rate: 2, layers: [{ activation: "tanh" }], features: [], data: { seed: 2 } };
    expect(differences(first, second, titlesOf(catalogue))).toEqual([
      { name: "layer 1: Activation", values: ["ReLU", "tanh"] },
      { name: "Learning rate", values: ["1", "2"] },
      { name: "features", values: ["x₁", "none"] },
      { name: "Seed of the points", values: ["1", "2"] },
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

const column = (name: string, kind: string, levels: number, missing = 0) => ({
  ...{ name, kind, levels, missing },
  no_axis: kind === "category" ? "it holds a category" : levels > 1 ? "" : "every number is the same",
  no_target: levels > 1 ? "" : "every cell is the same",
});
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
    expect(targetColumns(table, data).map(({ name, no_target }) => [name, no_target !== ""])).toEqual([["c", true], ["d", false]]);
  });

  it("change places rather than being the same", () => {
    const data = suggestedData(table)!;
    expect(withColumn(data, 0, "b").columns).toEqual(["b", "a"]);
    expect(withColumn(data, 1, "a").columns).toEqual(["b", "a"]);
    expect(withColumn(data, 1, "z").columns).toEqual(["a", "z"]);
  });

  it("fit settings, or settings lack their table", () => {
    const data = suggestedData(table)!;
    expect(fits(table, data)).toBe(true);
    expect(fits(null, data)).toBe(false);
    expect(fits(table, { ...data, target: "c" })).toBe(false);
    expect(fits(table, { ...data, columns: ["a", "d"] })).toBe(false);
    const settings = { ...firstSettings(), data };
    expect([lacksTable(table, settings), lacksTable(null, settings), lacksTable(null, firstSettings())]).toEqual([false, true, false]);
    expect(missingTable(null, [settings])).toContain("“a”, “b”, “d”");
  });

  it("are described", () => {
    expect(table.columns.map(about)).toEqual(["a (number)", "b (date, 9 values)", "c (number)", "d (category, 3 values, 2 missing)"]);
  });
});

describe("a saved run", () => {
  const file = (text: string, size = text.length) => ({ name: "saved.json", size, text: () => Promise.resolve(text) });

  it("is an object in JSON", async () => {
    expect(await readDocument(file('{"version": 1}'))).toEqual({ version: 1 });
    await expect(readDocument(file("step 3"))).rejects.toThrow("it is not JSON. Choose a file that Save has made.");
    for (const text of ["[1, 2]", "3", "null"]) await expect(readDocument(file(text))).rejects.toThrow("other JSON");
    await expect(readDocument(file("{}", DOCUMENT_LIMIT + 1))).rejects.toThrow("larger than 20 MB");
  });
});
