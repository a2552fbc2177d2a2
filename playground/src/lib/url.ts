/** The state in the address: settings of one or two runs as base64url of their JSON. */

import { firstSettings, type Settings } from "./protocol";

export class AddressError extends Error {}

function toBase64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): string {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** The part of the address after "#" for these runs. */
export function toHash(runs: Settings[]): string {
  return toBase64Url(JSON.stringify(runs.length === 1 ? runs[0] : runs));
}

function isSettings(value: unknown): value is Settings {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const given = value as Record<string, unknown>;
  const first: Record<string, unknown> = { ...firstSettings() };
  return Object.keys(first).every((key) => {
    return typeof given[key] === typeof first[key] && Array.isArray(given[key]) === Array.isArray(first[key]);
  });
}

/** The settings that an address holds; null if it holds none; AddressError if it cannot be read. */
export function fromHash(hash: string): Settings[] | null {
  const text = hash.replace(/^#/, "");
  if (text === "") return null;
  let value: unknown;
  try {
    value = JSON.parse(fromBase64Url(text));
  } catch {
    throw new AddressError("the part after # is not complete or was changed");
  }
  const runs: unknown[] = Array.isArray(value) ? value : [value];
  if (runs.length < 1 || runs.length > 2 || !runs.every(isSettings)) {
    throw new AddressError("the part after # holds no settings of this playground");
  }
  return runs;
}
