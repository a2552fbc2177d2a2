import { describe, expect, it } from "vitest";
import { firstSettings } from "../../src/lib/protocol";
import { socketAddress } from "../../src/lib/socket";
import { AddressError, fromHash, toHash } from "../../src/lib/url";

describe("the state in the address", () => {
  it("comes back as it was, with names in any alphabet", () => {
    const settings = firstSettings();
    settings.data = { ...settings.data, source: "table", columns: ["größe", "重さ"], target: "naïve" };
    const hash = toHash([settings]);
    expect(hash).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(fromHash(`#${hash}`)).toEqual([settings]);
  });

  it("holds two runs", () => {
    const runs = [firstSettings(), { ...firstSettings(), learning_rate: 3 }];
    expect(fromHash(toHash(runs))).toEqual(runs);
  });

  it("is plain JSON in base64", () => {
    const text = Buffer.from(toHash([firstSettings()]), "base64url").toString();
    expect(JSON.parse(text)).toEqual(firstSettings());
  });

  it("is nothing without a hash", () => {
    expect(fromHash("")).toBeNull();
    expect(fromHash("#")).toBeNull();
  });

  it.each(["#x", "#%%%", "#bnVsbA", "#W10", "#e30", `#${toHash([firstSettings()]).slice(0, -9)}`])(
    "says that %s cannot be read",
    (hash) => {
      expect(() => fromHash(hash)).toThrow(AddressError);
    },
  );

  it("refuses settings of the wrong kinds", () => {
    const wrong = Buffer.from(JSON.stringify({ ...firstSettings(), layers: 3 })).toString("base64url");
    expect(() => fromHash(wrong)).toThrow(AddressError);
  });
});

describe("socketAddress", () => {
  it("is beside the page, without hash and query", () => {
    expect(socketAddress("http://127.0.0.1:8000/token/?a=1#b")).toBe("ws://127.0.0.1:8000/token/socket");
    expect(socketAddress("https://example.org/token/")).toBe("wss://example.org/token/socket");
  });
});
