import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { PayrunError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { showCount } from '../../money.ts';
import { fetchAgain, Gauge, lockedFault } from './unpacking.ts';

/** A file in a zip file, as the directory at its end describes it. */
export type ZipEntry = Entry;

/** What a zip file holds that can be imported: one file, or a workbook, whose parts with cells are named. */
export type Contents = { kind: 'file'; file: ZipEntry } | { kind: 'workbook'; parts: ZipEntry[] };

/** What else is a zip file inside, told by a name in it. */
const otherFiles: [name: RegExp, what: string][] = [
  [/^xl\/workbook\.bin$/, 'a binary Excel workbook (.xlsb)'],
  [/^word\/document\.xml$/, 'a Word document'],
  [/^content\.xml$/, 'an OpenDocument file (.ods)'],
  [/^Index\/.*\.iwa$|^Index\.zip$/, 'a Numbers document'],
];
/** Folders, and what the Mac adds to its archives beside the files. */
const additions = /\/$|^__MACOSX\/|(^|\/)\.DS_Store$/;
const partWithCells =
  /^xl\/(workbook\.xml|_rels\/workbook\.xml\.rels|sharedStrings[^/]*\.xml|styles[^/]*\.xml|worksheets\/[^/]+\.xml)$/i;
const named = 5;

/**
 * Looks at the directory of the zip file at `path`; `shown` is its path for messages. Raises `file-refused` when it is
 * damaged, empty, something else, or holds several files, the first of which are named.
 */
export async function lookInside(path: string, shown: string): Promise<Contents> {
  return withZip(path, shown, async (zip) => {
    const files: ZipEntry[] = [];
    const parts: ZipEntry[] = [];
    let count = 0;
    let isWorkbook = false;
    for await (const entry of zip.eachEntry()) {
      const { fileName } = entry;
      const other = otherFiles.find(([name]) => name.test(fileName));
      if (other) throw refused(shown, `This is ${other[1]}.`, 'Save it as .xlsx or CSV, and import that.');
      isWorkbook ||= fileName === 'xl/workbook.xml';
      if (partWithCells.test(fileName)) parts.push(entry);
      if (additions.test(fileName)) continue;
      count += 1;
      if (files.length < named) files.push(entry);
    }
    if (isWorkbook) return { kind: 'workbook', parts };
    if (count !== 1) throw notOne(shown, count, files);
    return { kind: 'file', file: files[0]! };
  });
}

/**
 * The bytes of one file of the zip file at `path`, unpacked as they are taken. Raises `file-refused` when they are
 * damaged, locked with a password or more than `limits` allow.
 */
export async function* unzipped(
  path: string,
  shown: string,
  entry: ZipEntry,
  limits: Limits,
): AsyncGenerator<Buffer> {
  if (entry.isEncrypted()) throw lockedFault(shown);
  if (!entry.canDecodeFileData())
    throw refused(shown, 'The file is packed in a way that Payrun can’t unpack.', 'Pack it as a plain zip.');
  const gauge = new Gauge(shown, limits, () => entry.compressedSize);
  gauge.check(entry.uncompressedSize);
  const zip = await openZip(path, shown);
  let sum = 0;
  try {
    const pieces: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry);
    for await (const piece of pieces) {
      gauge.add(piece.length);
      sum = crc32(piece, sum);
      yield piece;
    }
  } catch (cause) {
    throw faultOf(shown, cause);
  } finally {
    zip.close();
  }
  if (sum !== entry.crc32) throw faultOf(shown, new Error('The check sum differs.'));
}

async function withZip<T>(path: string, shown: string, work: (zip: ZipFile) => Promise<T>): Promise<T> {
  const zip = await openZip(path, shown);
  try {
    return await work(zip);
  } catch (cause) {
    throw faultOf(shown, cause);
  } finally {
    zip.close();
  }
}

async function openZip(path: string, shown: string): Promise<ZipFile> {
  try {
    return await openPromise(path, { autoClose: false });
  } catch (cause) {
    throw faultOf(shown, cause);
  }
}

/** Whatever the library stumbles over in the file is the file's fault; what the system says is not. */
function faultOf(shown: string, cause: unknown): unknown {
  if (cause instanceof PayrunError) return cause;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  if (code !== '' && !/^Z_/.test(code)) return cause;
  if (/encrypt/i.test(message)) return lockedFault(shown);
  return refused(shown, 'The zip file or workbook is damaged or cut off.', fetchAgain, cause);
}

function notOne(shown: string, count: number, files: ZipEntry[]): PayrunError {
  if (count === 0) return refused(shown, 'The archive is empty.', 'Put the file to import into it.');
  const names = files.map((entry) => `"${entry.fileName.slice(0, 80)}"`);
  const more = count > names.length ? ', …' : '';
  return refused(
    shown,
    `The archive holds ${showCount(count)} files: ${names.join(', ')}${more}.`,
    'Unpack it and import its files one by one.',
  );
}

function refused(shown: string, what: string, todo: string, cause?: unknown): PayrunError {
  return new PayrunError('file-refused', what, {
    place: { file: shown },
    todo: `${todo} Nothing of it was recorded.`,
    cause,
  });
}
