/**
 * Which columns of the user's table a run may use.
 * Takes a description of a table; returns settings and choices; never asks for what the table does not have.
 */

import type { DataSettings, Settings, TableColumn, TableDescription } from "./protocol";

/** Settings of data that show this table as the server suggests; null if nothing of it can be learned. */
export function suggestedData(table: TableDescription): DataSettings | null {
  if (!table.suggested) return null;
  const { columns, target } = table.suggested;
  return {
    source: "table",
    columns,
    target,
    others: "median",
    train_share: 0.5,
    seed: 0,
    rows: Math.min(2000, Math.max(10, table.rows)),
  };
}

/** What fits any data: other columns have other losses and other features. */
export const FITTING = { features: ["x1", "x2"], loss: "default" };

/** Whether a table has the columns of these data, and they can be used as there. */
export function fits(table: TableDescription | null, { columns, target }: DataSettings): boolean {
  const has = (name: string | undefined, why: "no_axis" | "no_target"): boolean =>
    table?.columns.some((column) => column.name === name && column[why] === "") ?? false;
  return columns?.length === 2 && columns.every((name) => has(name, "no_axis")) && has(target, "no_target");
}

/** Whether settings are for a table that is not there. */
export function lacksTable(table: TableDescription | null, { data }: Settings): boolean {
  return data.source === "table" && !fits(table, data);
}

/** What a page says that was asked for settings of a table it does not have. */
export function missingTable(table: TableDescription | null, settings: Settings[]): string {
  const data = settings.find((each) => lacksTable(table, each))?.data;
  const names = [...(data?.columns ?? []), data?.target].map((name) => `“${name}”`).join(", ");
  const has = table ? `${table.name} has no such columns` : "the page does not have it any more";
  return `These settings are for a table with the columns ${names}, and ${has}. Drop its file on the page again, and they apply; until then the address keeps them.`;
}

/** The columns that can span the plane: numbers, dates and booleans that vary and are not the target. */
export function planeColumns(table: TableDescription, { target }: DataSettings): TableColumn[] {
  return table.columns.filter(({ name, no_axis }) => no_axis === "" && name !== target);
}

/** The columns that do not span the plane; those with a reason in `no_target` cannot be predicted. */
export function targetColumns(table: TableDescription, { columns }: DataSettings): TableColumn[] {
  return table.columns.filter(({ name }) => !columns?.includes(name));
}

/** These data with another first or second column; the two change places if they would be the same. */
export function withColumn(data: DataSettings, at: 0 | 1, name: string): DataSettings {
  const [first, second] = data.columns ?? [];
  const columns = at === 0 ? [name, second === name ? first : second] : [first === name ? second : first, name];
  return { ...data, columns: columns.filter((column) => column !== undefined) };
}

/** A line about a column: its kind, its number of values, how many are missing. */
export function about(column: TableColumn): string {
  const levels = column.kind === "number" ? "" : `, ${column.levels} values`;
  return `${column.name} (${column.kind}${levels}${column.missing ? `, ${column.missing} missing` : ""})`;
}
