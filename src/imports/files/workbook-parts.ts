import { StringDecoder } from 'node:string_decoder';
import { zipSync } from 'fflate';
import readXlsxFile from 'read-excel-file/universal';
import { listed, PayrunError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { showCount } from '../../money.ts';
import { unzipped, type ZipEntry } from './archive.ts';
import { overLimit } from './limits.ts';
import { hiddenSheets, readyWorkbook, SheetXml, shownStyles } from './sheet-xml.ts';

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

/** Cells of a sheet, empty ones among them, that the library may make room for. */
const mostCells = 8_000_000;

/** The sheet to read, alone in a workbook that is ready for the library, and what is known of it. */
export interface OpenSheet {
  archive: ArrayBuffer;
  /** Its number in the archive. */
  number: number;
  about: SheetXml;
  /** The names of hidden sheets that have data and were left out. */
  hidden: string[];
}

/**
 * Finds the sheet to read; undefined when no sheet has data. Raises `file-refused`, as `sheetRows` says.
 */
export async function openSheet(workbook: Workbook): Promise<OpenSheet | undefined> {
  const { parts, sheets } = await readyParts(workbook);
  const names = await sheetNames(workbook, parts, [...sheets.keys()]);
  const all = names.map((one) => ({ ...one, ready: sheets.get(one.part) }));
  const { number, hidden } = chosenSheet(workbook, all);
  const chosen = all[number - 1];
  if (!chosen?.ready || chosen.ready.about.rows === 0) return undefined;
  checkSize(workbook, chosen.ready.about);
  const { about, xml } = chosen.ready;
  return { archive: packed({ ...parts, [chosen.part]: xml }), number, about, hidden };
}

/** A sheet's XML, ready to be read, and what is known of it. */
interface ReadySheet {
  xml: Buffer;
  about: SheetXml;
}

interface NamedSheet {
  name: string;
  part: string;
  isHidden: boolean;
}

/** Unpacks the parts of the workbook, and apart from the others its sheets, made ready on the way. */
async function readyParts(workbook: Workbook): Promise<{
  parts: Record<string, Buffer>;
  sheets: Map<string, ReadySheet>;
}> {
  const parts: Record<string, Buffer> = {};
  const sheets = new Map<string, ReadySheet>();
  const isSheet = ({ fileName }: ZipEntry) => /^xl\/worksheets\//i.test(fileName);
  const { unpack } = unpacker(workbook);
  for (const entry of workbook.parts.filter((one) => !isSheet(one)))
    parts[entry.fileName] = await unpack(entry);
  const styles = shownStyles(
    Object.entries(parts)
      .find(([name]) => /\/styles/i.test(name))?.[1]
      .toString() ?? '',
  );
  for (const entry of workbook.parts.filter(isSheet)) {
    const about = new SheetXml(styles);
    const decoder = new StringDecoder('utf8');
    const xml = await unpack(entry, (piece) => {
      const ready = Buffer.from(about.ready(decoder.write(piece)));
      if (about.isBeyond) throw damaged(workbook);
      return ready;
    });
    sheets.set(entry.fileName, { xml, about });
  }
  parts['xl/workbook.xml'] = Buffer.from(readyWorkbook(String(parts['xl/workbook.xml'])));
  return { parts, sheets };
}

/** Unpacks one part after the other, each piece changed by `change`, as long as all of them stay within the limits. */
function unpacker(workbook: Workbook) {
  const { path, shown, limits } = workbook;
  let bytes = 0;
  return {
    async unpack(entry: ZipEntry, change = (piece: Buffer) => piece): Promise<Buffer> {
      const pieces: Buffer[] = [];
      for await (const piece of unzipped(path, shown, entry, limits)) {
        bytes += piece.length;
        if (bytes > limits.workbook_bytes) throw tooLarge(workbook);
        pieces.push(change(piece));
      }
      return Buffer.concat(pieces);
    },
  };
}

/** The sheets in their order, each with its part: the library is asked which is which, with a number in each part. */
async function sheetNames(
  workbook: Workbook,
  parts: Record<string, Buffer>,
  sheetParts: string[],
): Promise<NamedSheet[]> {
  const numbered = sheetParts.map((name, index) => [
    name,
    Buffer.from(
      `<worksheet><sheetData><row r="1"><c r="A1"><v>${index}</v></c></row></sheetData></worksheet>`,
    ),
  ]);
  const archive = packed({ ...parts, ...Object.fromEntries(numbered) });
  const sheets = await orDamaged(workbook, readXlsxFile(archive));
  const hidden = hiddenSheets(String(parts['xl/workbook.xml']));
  return sheets.map(({ sheet, data }, index) => ({
    name: sheet,
    part: sheetParts[Number(data?.[0]?.[0])] ?? '',
    isHidden: hidden.has(index),
  }));
}

/** The number of the sheet to read, 0 when none has data: the one that is named, else the only visible one with data. */
function chosenSheet(
  { shown, sheet }: Workbook,
  sheets: (NamedSheet & { ready: ReadySheet | undefined })[],
): { number: number; hidden: string[] } {
  const list = (some: NamedSheet[]) =>
    listed(some.map(({ name, isHidden }) => `"${name}"${isHidden ? ' (hidden)' : ''}`));
  if (sheet !== undefined) {
    const at = typeof sheet === 'number' ? sheet - 1 : sheets.findIndex(({ name }) => name === sheet);
    if (sheets[at]) return { number: at + 1, hidden: [] };
    const wanted = typeof sheet === 'number' ? `sheet number ${sheet}` : `sheet "${sheet}"`;
    throw new PayrunError('file-refused', `The workbook has no ${wanted}; it has ${list(sheets)}.`, {
      place: { file: shown },
      todo: 'Correct "sheet" in the source of payrun.json.',
    });
  }
  const filled = sheets.filter(({ ready }) => ready && ready.about.rows > 0);
  const visible = filled.filter(({ isHidden }) => !isHidden);
  const only = filled.length === 1 ? filled[0] : visible.length === 1 ? visible[0] : undefined;
  if (filled.length === 0 || only) {
    const hidden = filled.filter((one) => one !== only).map(({ name }) => name);
    return { number: only ? sheets.indexOf(only) + 1 : 0, hidden };
  }
  throw new PayrunError('file-refused', `Several sheets of the workbook have data: ${list(filled)}.`, {
    place: { file: shown },
    todo: 'Name the one to read as "sheet" in the source of payrun.json, or save it as a workbook of its own.',
  });
}

function checkSize(workbook: Workbook, { rows, columns }: SheetXml): void {
  const { shown, limits } = workbook;
  if (rows > limits.workbook_rows)
    throw overLimit(
      shown,
      `The sheet has ${showCount(rows)} rows; of a workbook at most ${showCount(limits.workbook_rows)} are read.`,
      'workbook_rows',
      { instead: saveAsCsv },
    );
  if (rows * columns > mostCells) throw tooLarge(workbook);
}

const saveAsCsv = 'Save the sheet as CSV ("CSV UTF-8" in Excel), which may have any number of rows.';

function tooLarge({ shown, limits }: Workbook): PayrunError {
  const what = `The workbook is too large to be read at once: more than ${showCount(limits.workbook_bytes)} bytes unpacked, or cells far apart.`;
  return overLimit(shown, what, 'workbook_bytes', { instead: saveAsCsv });
}

/** A zip file of the parts as they are, because the library takes nothing else. */
function packed(parts: Record<string, Buffer>): ArrayBuffer {
  return zipSync(parts, { level: 0 }).buffer as ArrayBuffer;
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
