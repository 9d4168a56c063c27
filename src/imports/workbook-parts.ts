import { zipSync } from 'fflate';
import readXlsxFile from 'read-excel-file/universal';
import { PayrunError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { showCount } from '../money.ts';
import { unzipped, type ZipEntry } from './archive.ts';
import { overLimit } from './limits.ts';
import { percentStyles, type ReadySheet, readySheet, readyWorkbook } from './sheet-xml.ts';

/** A workbook, and which of its sheets to read. */
export interface Workbook {
  path: string;
  /** Its path for messages. */
  shown: string;
  bytes: number;
  parts: ZipEntry[];
  limits: Limits;
  /** The name of the sheet or its number from 1; without it the only one that has data. */
  sheet: string | number | undefined;
}

/** Unpacks the parts of the workbook, those that are sheets apart and ready to be read. */
export async function readyParts(workbook: Workbook): Promise<{
  parts: Record<string, string>;
  sheets: Map<string, ReadySheet>;
}> {
  const { path, shown, limits } = workbook;
  const parts: Record<string, string> = {};
  let bytes = 0;
  for (const entry of workbook.parts) {
    const pieces: Buffer[] = [];
    for await (const piece of unzipped(path, shown, entry, limits)) {
      bytes += piece.length;
      if (bytes > limits.workbook_bytes) throw tooLarge(workbook);
      pieces.push(piece);
    }
    parts[entry.fileName] = Buffer.concat(pieces).toString('utf8');
  }
  const percents = percentStyles(Object.entries(parts).find(([name]) => /\/styles/i.test(name))?.[1] ?? '');
  const sheets = new Map<string, ReadySheet>();
  for (const name of Object.keys(parts).filter((one) => /^xl\/worksheets\//i.test(one))) {
    const ready = readySheet(parts[name]!, percents);
    if (!ready) throw damaged(workbook);
    sheets.set(name, ready);
    delete parts[name];
  }
  parts['xl/workbook.xml'] = readyWorkbook(parts['xl/workbook.xml'] ?? '');
  return { parts, sheets };
}

/** The sheets in their order, each with its part: the library is asked which is which, with a number in each part. */
export async function sheetNames(
  workbook: Workbook,
  parts: Record<string, string>,
  sheetParts: string[],
): Promise<{ name: string; part: string }[]> {
  const numbered = sheetParts.map((name, index) => [
    name,
    `<worksheet><sheetData><row r="1"><c r="A1"><v>${index}</v></c></row></sheetData></worksheet>`,
  ]);
  const archive = packed({ ...parts, ...Object.fromEntries(numbered) });
  const sheets = await orDamaged(workbook, readXlsxFile(archive));
  return sheets.map(({ sheet, data }) => ({ name: sheet, part: sheetParts[Number(data?.[0]?.[0])] ?? '' }));
}

/** The number of the sheet to read, or undefined when none has data. */
export function chosenSheet(
  workbook: Workbook,
  names: { name: string; part: string }[],
  sheets: Map<string, ReadySheet>,
): number | undefined {
  const { shown, sheet } = workbook;
  const list = names.map(({ name }) => `"${name}"`).join(', ');
  if (sheet !== undefined) {
    const at = typeof sheet === 'number' ? sheet - 1 : names.findIndex(({ name }) => name === sheet);
    if (names[at]) return at + 1;
    const wanted = typeof sheet === 'number' ? `sheet number ${sheet}` : `sheet "${sheet}"`;
    throw new PayrunError('file-refused', `The workbook has no ${wanted}; it has ${list}.`, {
      place: { file: shown },
      todo: 'Correct "sheet" in the source of payrun.json.',
    });
  }
  const filled = names.flatMap(({ part }, index) => (sheets.get(part)?.rows ? [index + 1] : []));
  if (filled.length <= 1) return filled[0];
  throw new PayrunError('file-refused', `Several sheets of the workbook have data: ${list}.`, {
    place: { file: shown },
    todo: 'Name the one to read as "sheet" in the source of payrun.json, or save it as a workbook of its own.',
  });
}

export const saveAsCsv = 'Save the sheet as CSV ("CSV UTF-8" in Excel), which may have any number of rows.';

export function tooLarge({ shown, limits }: Workbook): PayrunError {
  const what = `The workbook is too large to be read at once: more than ${showCount(limits.workbook_bytes)} bytes unpacked, or cells far apart.`;
  return overLimit(shown, what, 'workbook_bytes', { instead: saveAsCsv });
}

export function packed(parts: Record<string, string>): ArrayBuffer {
  const files = Object.entries(parts).map(([name, text]) => [name, Buffer.from(text)] as const);
  return zipSync(Object.fromEntries(files), { level: 0 }).buffer as ArrayBuffer;
}

export async function orDamaged<T>(workbook: Workbook, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw damaged(workbook, cause);
  }
}

function damaged({ shown }: Workbook, cause?: unknown): PayrunError {
  return new PayrunError('file-refused', 'The workbook is damaged.', {
    place: { file: shown },
    todo: 'Open it in a spreadsheet program and save it again, or save the sheet as CSV. Nothing of it was recorded.',
    cause,
  });
}
