import { StringDecoder } from 'node:string_decoder';
import { zipSync } from 'fflate';
import readXlsxFile from 'read-excel-file/universal';
import { PayrunError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { showCount } from '../../money.ts';
import { unzipped, type ZipEntry } from './archive.ts';
import { overLimit } from './limits.ts';
import { type Mark, readyWorkbook, SheetXml, shownStyles } from './sheet-xml.ts';

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

/**
 * Finds the sheet to read. Returns a workbook with this sheet alone, ready for the library, its number there and the
 * cells that are marked; undefined when no sheet has data. Raises `file-refused`, as `sheetRows` says.
 */
export async function openSheet(
  workbook: Workbook,
): Promise<{ archive: ArrayBuffer; number: number; marks: Map<number, Mark> } | undefined> {
  const { parts, sheets } = await readyParts(workbook);
  const names = await sheetNames(workbook, parts, [...sheets.keys()]);
  const number = chosenSheet(workbook, names, sheets);
  const part = number === undefined ? '' : names[number - 1]!.part;
  const chosen = sheets.get(part);
  if (number === undefined || !chosen || chosen.about.rows === 0) return undefined;
  checkSize(workbook, chosen.about);
  return { archive: packed({ ...parts, [part]: chosen.xml }), number, marks: chosen.about.marks };
}

/** A sheet's XML, ready to be read, and what is known of it. */
interface ReadySheet {
  xml: Buffer;
  about: SheetXml;
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
): Promise<{ name: string; part: string }[]> {
  const numbered = sheetParts.map((name, index) => [
    name,
    Buffer.from(
      `<worksheet><sheetData><row r="1"><c r="A1"><v>${index}</v></c></row></sheetData></worksheet>`,
    ),
  ]);
  const archive = packed({ ...parts, ...Object.fromEntries(numbered) });
  const sheets = await orDamaged(workbook, readXlsxFile(archive));
  return sheets.map(({ sheet, data }) => ({ name: sheet, part: sheetParts[Number(data?.[0]?.[0])] ?? '' }));
}

/** The number of the sheet to read, or undefined when none has data. */
function chosenSheet(
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
  const filled = names.flatMap(({ part }, index) => (sheets.get(part)?.about.rows ? [index + 1] : []));
  if (filled.length <= 1) return filled[0];
  throw new PayrunError('file-refused', `Several sheets of the workbook have data: ${list}.`, {
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
