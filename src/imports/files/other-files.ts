import iconv from 'iconv-lite';
import { PayrunError } from '../../errors.ts';

const todos = {
  saveAsCsv: 'Save the table as CSV ("CSV UTF-8" in Excel), not packed, and import that.',
  saveAnew:
    'Open it in a spreadsheet program, save the table as .xlsx or CSV ("CSV UTF-8" in Excel), and import that.',
  saveAsUtf8: 'Save it as UTF-8 ("CSV UTF-8" in Excel), and import that.',
  decrypt: 'Decrypt it, and import what comes out.',
  unpack: 'Unpack the file and import what is in it.',
};

/** How files begin that people take for text: what they are, and what to do where saving them as CSV is not it. */
const binaries: [what: string, hex: string, todo?: keyof typeof todos][] = [
  ['an Excel workbook or a zip archive', '504b0304'],
  ['an old Excel workbook (.xls), or one with a password', 'd0cf11e0'],
  ['a PDF', '25504446'],
  ['a JPEG picture', 'ffd8ff'],
  ['a PNG picture', '89504e47'],
  ['a gzip file', '1f8b'],
  ['a 7z archive', '377abcaf'],
  ['a rar archive', '526172211a'],
  ['an xz file', 'fd377a585a'],
  ['a zstd file', '28b52ffd'],
  ['a file encrypted by OpenSSL', Buffer.from('Salted__').toString('hex'), 'decrypt'],
  ['a file encrypted by age', Buffer.from('age-encryption.org/').toString('hex'), 'decrypt'],
  ['a message encrypted by PGP', Buffer.from('-----BEGIN PGP MESSAGE').toString('hex'), 'decrypt'],
];

const webPage = 'a web page (HTML)';
/** What else the text at the beginning of a file gives away. */
const markups: [what: string, text: RegExp][] = [
  [webPage, /^(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|style|body|table)\b/is],
  ['a web page in one file (MHTML)', /^MIME-Version:/i],
  [
    'an XML spreadsheet (2003)',
    /^<\?xml\b.*(?:urn:schemas-microsoft-com:office:spreadsheet|progid="Excel\.Sheet")/is,
  ],
  ['a flat OpenDocument file (.fods)', /^<\?xml\b.*<office:document\b/is],
  [webPage, /^<\?xml\b.*<html\b/is],
  ['XML', /^<\?xml\b/i],
];

/**
 * The fault of a file that is no table or log as text, by its first bytes, `start`; undefined for one that may be. `shown`
 * is its path for the message, `isPacked` says that the bytes stood in an archive.
 */
export function otherFileFault(start: Buffer, shown: string, isPacked: boolean): PayrunError | undefined {
  const hex = start.subarray(0, 32).toString('hex');
  const [binary, , todo] = binaries.find(([, beginning]) => hex.startsWith(beginning)) ?? [];
  if (binary) return isNot(shown, isPacked, `${binary}, not a text file`, todo);
  if (isUtf32(start)) return isNot(shown, isPacked, 'UTF-32 text, which is not read', 'saveAsUtf8');
  const text = textOf(start);
  const markup = markups.find(([, pattern]) => pattern.test(text));
  return markup && isNot(shown, isPacked, `${markup[0]}, which is not read`, 'saveAnew');
}

/** The fault of a file that is full of NUL bytes, and nothing that is known. */
export function noTextFault(shown: string): PayrunError {
  return fault(shown, 'This is no text file: it is full of NUL bytes.', todos.saveAsCsv);
}

function isNot(shown: string, isPacked: boolean, what: string, todo: keyof typeof todos = 'saveAsCsv') {
  if (isPacked && todo === 'saveAsCsv') return fault(shown, `Packed in this file is ${what}.`, todos.unpack);
  if (isPacked) return fault(shown, `Packed in this file is ${what}.`, `Unpack it. ${todos[todo]}`);
  return fault(shown, `This is ${what}.`, todos[todo]);
}

function fault(shown: string, what: string, todo: string): PayrunError {
  return new PayrunError('file-refused', what, {
    place: { file: shown },
    todo: `${todo} Nothing of it was recorded.`,
  });
}

function textOf(start: Buffer): string {
  const encoding =
    start[0] === 0xfe ? 'utf-16be' : start[0] === 0xff || start[1] === 0 ? 'utf-16le' : 'latin1';
  const text = iconv.decode(start, encoding);
  return text.replace(/^(?:\ufeff|ï»¿)?\s*/, '');
}

/** Whether it begins with a mark of UTF-32, or three of each four bytes are NUL. */
function isUtf32(start: Buffer): boolean {
  if (['fffe0000', '0000feff'].includes(start.subarray(0, 4).toString('hex'))) return true;
  const length = start.length - (start.length % 4);
  if (length < 8) return false;
  const nuls = [0, 0, 0, 0];
  for (let at = 0; at < length; at += 1) if (start[at] === 0) nuls[at % 4]! += 4 / length;
  return nuls.filter((share) => share > 0.9).length === 3 && Math.min(...nuls) < 0.1;
}
