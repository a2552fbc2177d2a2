/**
 * Saved runs, before the server sees them.
 * Takes a file; returns the document in it, or says why there is none; never judges what the document holds.
 */

/** The server takes no longer messages. */
export const DOCUMENT_LIMIT = 20 * 2 ** 20 - 2 ** 10;

/** The document in a file; an Error with words for the user if it cannot be one. */
export async function readDocument(file: { name: string; size: number; text(): Promise<string> }): Promise<object> {
  const advice = "Choose a file that Save has made.";
  if (file.size > DOCUMENT_LIMIT) throw new Error(`${file.name} is larger than 20 MB and holds no saved run. ${advice}`);
  let found: unknown;
  try {
    found = JSON.parse(await file.text());
  } catch {
    throw new Error(`${file.name} holds no saved run: it is not JSON. ${advice}`);
  }
  if (typeof found === "object" && found !== null && !Array.isArray(found)) return found;
  throw new Error(`${file.name} holds no saved run, but other JSON. ${advice}`);
}
