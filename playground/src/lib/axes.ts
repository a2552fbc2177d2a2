/**
 * Which columns of the user's table a run may use.
 * Takes a description of a table; returns settings and choices; never asks for what the table does not have.
 */

import type { DataSettings, TableColumn, TableDescription } from "./protocol";

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

const ORDERED = ["number", "date", "boolean"];

/** The columns that can span the plane: numbers, dates and booleans that vary and are not the target. */
export function planeColumns(table: TableDescription, { target }: DataSettings): TableColumn[] {
  return table.columns.filter(({ name, kind, levels }) => ORDERED.includes(kind) && levels > 1 && name !== target);
}

/** The columns that can be predicted: those that vary and do not span the plane. */
export function targetColumns(table: TableDescription, { columns }: DataSettings): TableColumn[] {
  return table.columns.filter(({ name, levels }) => levels > 1 && !columns?.includes(name));
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
