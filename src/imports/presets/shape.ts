import type { SaleField } from '../../config-source.ts';
import type { PresetName } from '../../preset-names.ts';

/**
 * A known export of a shop or a payment provider. Most of its rows have no partner, so rows without one are ignored
 * unless a source says otherwise. Amounts are major units with a point and dates ISO 8601, as they stand in the
 * export or as the reader makes them.
 */
export interface Preset {
  name: PresetName;
  /** The name that people know it by. */
  title: string;
  /** The columns by which it is known, whatever others a user has chosen; where there are several names, one is enough. */
  headers: readonly Names[];
  /** Fields that stand in a column as they are; a column that the file lacks is left out. */
  mapping: Partial<Record<SaleField, Names>>;
  /** Fields of which the reader makes a cell for each sale. */
  makes: readonly SaleField[];
  defaults?: Partial<Record<SaleField, string>>;
  /** The zone of times that name no offset; else that of the source or the programme. */
  timezone?: string;
  /** Only where the ids are so short that those of another upstream may be the same. */
  idPrefix?: string;
  /** Its own columns stand before those that a user named, so the first of two with one name is meant. */
  takesFirst?: boolean;
  /** A reader for one file. */
  reader(file: PresetFile): PresetReader;
}

export type Names = string | readonly string[];

/** The text of a column in a record's cells, trimmed; empty where the file has no such column. */
export type Column = (cells: string[]) => string;

/** What a reader may know of the file. */
export interface PresetFile {
  column(...names: string[]): Column;
  /** The programme's currency. */
  currency: string;
  /** The date format that a source states. */
  dateFormat: string | undefined;
}

export interface PresetReader {
  /**
   * The cells of `makes` for a record, in that order; undefined for one that is no sale. `onTwice` is told where its time
   * comes twice in its night, and the earlier was taken.
   */
  read(cells: string[], onTwice: () => void): string[] | undefined;
  /** Names of a record that may be an affiliate's, such as a coupon; the first that is one counts, if `read` names none. */
  hints?(cells: string[]): string[];
  /**
   * Of sales of several lines: the sale that a record goes on with, '' for one that begins a sale; whether it is the one
   * that began with `first`; and the product that a record sells.
   */
  lines?: {
    goesOnWith: Column;
    continues(first: string[], cells: string[]): boolean;
    product: Column;
  };
  /**
   * Where one column has one of several styles: looks at every record before the first is read. `settle` says what
   * keeps the file from being read, and what to do about it.
   */
  survey?: { look(cells: string[]): void; settle(): { what: string; todo: string } | undefined };
}
