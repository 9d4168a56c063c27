import { invisibleTaken } from '../files/invisible.ts';
import type { CsvFile } from '../files/records.ts';
import { warningOf } from '../landing.ts';
import { type Noted, warningAt } from '../noted.ts';
import type { Warnings } from './sale-row.ts';

/** Sentences about what stands in the file besides its rows, or looks wrong in them. */
export function besideRows(
  { beside, headerLine }: CsvFile,
  { timesThatComeTwice, idsLikeDates, datesAhead, noEmails }: Warnings,
): string[] {
  const { above, footers, seen } = beside;
  return [
    ...besideCells(seen),
    ...(above === 0 ? [] : [`the header was found in line ${headerLine}; what stands above it was left out`]),
    ...warningOf(footers, 'line below the last row was left out', 'lines below the last row were left out'),
    ...warningAt(
      timesThatComeTwice,
      'time comes twice that night; the earlier was taken',
      'times come twice in their night; the earlier was taken',
    ),
    ...warningAt(
      idsLikeDates,
      'external id looks like a date that a spreadsheet made of it; it was kept',
      'external ids look like dates that a spreadsheet made of them; they were kept',
    ),
    ...datesStillToCome(datesAhead),
    ...warningAt(
      noEmails,
      'row has a text that is no e-mail address where the customer’s should be; it was left out',
      'rows have a text that is no e-mail address where the customer’s should be; it was left out',
    ),
    ...warningAt(
      seen.garbled,
      'row has text that looks as if it was encoded twice; it was kept',
      'rows have text that looks as if it was encoded twice; it was kept',
    ),
  ];
}

/** Sentences about what stands in a file of any kind besides its cells, or did in them. */
export function besideCells(seen: CsvFile['beside']['seen']): string[] {
  const { hiddenSheets, hiddenRows, isFiltered, formulas } = seen;
  const hidden = isFiltered ? 'hidden by a filter or by hand' : 'hidden';
  return [
    ...hiddenSheets.map(
      (name) =>
        `the sheet "${name}" is hidden and was left out; to import it, save it as a workbook of its own`,
    ),
    ...warningAt(
      hiddenRows,
      `row of the sheet is ${hidden}; it was read like the others`,
      `rows of the sheet are ${hidden}; they were read like the others`,
    ),
    ...warningAt(
      formulas,
      'row has a formula whose result is not stored; its cell counts as empty until a spreadsheet program has saved the workbook',
      'rows have formulas whose results are not stored; their cells count as empty until a spreadsheet program has saved the workbook',
    ),
    ...invisibleTaken(seen),
  ];
}

/** Sentences about rows that were left out of an export on purpose: of sales without a partner, and of no sales at all. */
export function leftOut(unattributed: number, noSales: number): string[] {
  return [
    ...warningOf(
      unattributed,
      'row names no affiliate and no customer who is known; it was left out',
      'rows name no affiliate and no customer who is known; they were left out',
    ),
    ...warningOf(noSales, 'row is no sale and was left out', 'rows are no sales and were left out'),
  ];
}

/** The warning for rows or lines whose date is still to come. */
export function datesStillToCome(ahead: Noted): string[] {
  return warningAt(ahead, 'date is still to come; it was taken', 'dates are still to come; they were taken');
}
