import type { Session } from '../../db/connect.ts';
import type { Mover } from '../../ledger/journal.ts';
import type { Columns } from '../columns.ts';
import { type RowFault, spoiledRow } from '../faults.ts';
import type { CsvRecord } from '../files/records.ts';
import { destroyedId } from '../sales/sale-row.ts';
import { textOf, unquoted, writtenIn } from '../values/cells.ts';
import { composed } from '../values/values.ts';

/** A row's values in the order of its staging table's columns; undefined is NULL. */
export type Values = (string | undefined)[];

/** How one kind of people file is read and settled; what differs between affiliates and referrals. */
export interface PeopleStep {
  /** The staging table's name, and its columns behind `n` and `line`, each with its SQL type. */
  table: string;
  columns: readonly (readonly [name: string, type: string])[];
  /** The columns of the file that are read, by their index; others are left out. */
  columnsUsed: ReadonlySet<number>;
  /** The fields that such a file may have. */
  fields: readonly string[];
  read(record: CsvRecord): Values | RowFault;
  /** Takes the staged rows in: adds those that can't be to the `outcome` table, and counts the others. */
  settle(session: Session, mover: Mover): Promise<Settled>;
}

/** How the rows that were taken in have ended, and sentences about it. */
export interface Settled {
  recorded: number;
  updated: number;
  duplicates: number;
  changes: string[];
  warnings: string[];
}

/** How many changes a report lists. */
export const listedChanges = 50;

const longest = 255;

/** The text of a field in the row at hand: trimmed, NFC; empty where the cell is or the file has no such column. */
export type Cell<Field extends string> = (field: Field) => string;

/** A reader of records that checks what holds for every row, then leaves the fields to `read`. */
export function rowReader<Field extends string>(
  header: string[],
  columns: Columns<Field>,
  read: (cell: Cell<Field>, line: number) => Values | RowFault,
): (record: CsvRecord) => Values | RowFault {
  return (record) => {
    const spoiled = spoiledRow(record, header);
    if (spoiled) return spoiled;
    const { cells } = record;
    const cell: Cell<Field> = (field) => composed(unquoted(textOf(cells[columns.get(field) ?? -1] ?? '')));
    for (const field of columns.keys()) {
      if (cell(field).length > longest) return { code: 'too-long', field, found: '' };
    }
    const values = read(cell, record.line);
    if (Array.isArray(values) || values.code !== 'required') return values;
    return { ...values, found: writtenIn(record, columns.get(values.field as Field) ?? -1) };
  };
}

/** The fault of the first of `fields` that holds an id which a spreadsheet turned into a number. */
export function destroyedField<Field extends string>(
  cell: Cell<Field>,
  fields: readonly Field[],
): RowFault | undefined {
  const field = fields.find((one) => destroyedId.test(cell(one)));
  return field === undefined ? undefined : { code: 'id-destroyed', field, found: cell(field) };
}
