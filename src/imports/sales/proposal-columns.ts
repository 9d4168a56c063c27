import type { SaleField } from '../../config-source.ts';
import { fold } from '../columns.ts';

/** What a person has said of the columns of a file: headers, or positions as `#3`. */
export interface Choice {
  mapping: Partial<Record<SaleField, string>>;
  ignore: string[];
}

export interface ProposedColumn {
  header: string;
  at: number;
  values: string[];
}

export interface Candidate extends ProposedColumn {
  field: SaleField;
}

/** Whether `name` means this column: its header, or its position as `#3`. */
export function isNamed({ header, at }: { header: string; at: number }, name: string): boolean {
  return name === `#${at + 1}` || fold(name) === fold(header);
}

/** The header of a column, or its position where the header stands twice. */
export function nameOf(header: string[], { header: name, at }: ProposedColumn): string {
  const isAlone = header.filter((one) => one.toLowerCase() === name.toLowerCase()).length === 1;
  return isAlone ? name : `#${at + 1}`;
}
