/**
 * A table on its way to the server, in a stream of known length.
 * Takes a file; returns the server's answer; never reads the whole file into memory.
 */

/** What the file chooser offers: what the server reads, as it is or compressed. */
export const FILES = [
  ...[".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".ipc"],
  ...[".gz", ".bz2", ".xz", ".zst", ".zip"],
].join(",");

export const UPLOAD_LIMIT = 64 * 2 ** 20;

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** Why a file cannot be sent, or null if it can. */
export function refusal(file: { name: string; size: number }): string | null {
  if (file.size === 0) return `${file.name} is empty; choose a table with a header and rows.`;
  if (file.size > UPLOAD_LIMIT)
    return `${file.name} has ${megabytes(file.size)}; the page takes at most 64 MB. Keep some of its rows and try again.`;
  return null;
}

/** Send a file for the page of this name; `progress` hears the share that has left, from 0 to 1. Rejects with the server's message. */
export function upload(file: File, page: string, progress: (share: number) => void): Promise<unknown> {
  const problem = refusal(file);
  if (problem !== null) return Promise.reject(new Error(problem));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `table?${new URLSearchParams({ name: file.name, page })}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Error(`${file.name} did not reach the server; is it still running?`));
    request.onload = () => {
      try {
        resolve(answer(request.status, request.responseText));
      } catch (error) {
        reject(error as Error);
      }
    };
    request.send(file);
  });
}

/** The table in the server's answer to an upload. */
export function answer(status: number, text: string): unknown {
  let given: { table?: unknown; error?: string };
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    throw new Error(`The server answered ${status} and no table.`);
  }
  if (given.table) return given.table;
  throw new Error(given.error ?? `The server answered ${status} and no table.`);
}
