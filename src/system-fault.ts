import { type ErrorCode, PayrunError } from './errors.ts';

interface Meaning {
  code: ErrorCode;
  what(file: string): string;
  todo?: string;
}

/** By the system's name of the error. */
const meanings: Record<string, Meaning> = {
  EACCES: { code: 'no-permission', what: (file) => `This user may not read or write ${file}.` },
  EPERM: { code: 'no-permission', what: (file) => `The system does not let this user change ${file}.` },
  EROFS: {
    code: 'no-permission',
    what: (file) => `The file system may only be read, so ${file} can't be written.`,
    todo: 'Mount it so that it can be written, or move the workspace to another one.',
  },
  ENOSPC: { code: 'disk-full', what: (file) => `The disk is full: ${file} can't be written.` },
  EDQUOT: {
    code: 'disk-full',
    what: (file) => `This user's share of the disk is full: ${file} can't be written.`,
  },
  EFBIG: {
    code: 'disk-full',
    what: (file) => `The file system or ulimit takes no file as large as ${file}.`,
  },
  EMFILE: {
    code: 'too-many-files',
    what: (file) => `This process has as many files open as it may; ${file} can't be opened.`,
  },
  ENFILE: {
    code: 'too-many-files',
    what: (file) => `The system has as many files open as it can; ${file} can't be opened.`,
  },
  ENOENT: {
    code: 'wrong-path',
    what: (file) => `${file} is not there, or not any more.`,
    todo: 'Leave the files of a workspace in place while a command works; "payrun init" makes its folders anew. Then start the command again.',
  },
  ENOTDIR: { code: 'wrong-path', what: (file) => `A part of the path ${file} is a file, not a folder.` },
  EISDIR: { code: 'wrong-path', what: (file) => `${file} is a folder, where a file belongs.` },
  ELOOP: { code: 'wrong-path', what: (file) => `Symbolic links at ${file} lead round in a circle.` },
  ENAMETOOLONG: {
    code: 'wrong-path',
    what: (file) => `The name ${clip(file)} is too long for the file system.`,
  },
  EEXIST: { code: 'wrong-path', what: (file) => `${file} is there already, and in the way.` },
  ENOTEMPTY: { code: 'wrong-path', what: (file) => `The folder ${file} has files in it, and is in the way.` },
  EXDEV: {
    code: 'wrong-path',
    what: (file) => `${file} can't be moved, because it lies on another file system than its target.`,
    todo: 'Put inbox/, outbox/, archive/ and rejects/ of the workspace on one file system.',
  },
  EIO: { code: 'disk-fault', what: (file) => `The disk failed to read or write ${file}.` },
  ENODEV: { code: 'disk-fault', what: (file) => `The disk with ${file} is gone.` },
  ESTALE: { code: 'disk-fault', what: (file) => `The file system with ${file} is gone.` },
};

/**
 * What the operating system refused, as a fault with a sentence of its own; anything that it did not say comes back as
 * it is. Expects errors of Node's file system, process and network functions.
 */
export function systemFault(cause: unknown): unknown {
  const { path } = (cause ?? {}) as NodeJS.ErrnoException;
  return faultAt(cause, path === undefined ? 'a file' : `"${path}"`);
}

/**
 * The same for what was done in a folder that a person knows as `name`, such as `rejects/`. What was raised for a file
 * elsewhere, or by the network, comes back as it is.
 */
export function folderFault(cause: unknown, { name, folder }: { name: string; folder: string }): unknown {
  const { code = '', syscall, path = folder, dest = path } = (cause ?? {}) as Partial<Record<string, string>>;
  const isElsewhere = ![path, dest].some((one) => one.startsWith(folder) || folder.startsWith(one));
  return isElsewhere || syscall === 'connect' || !(code in meanings) ? cause : faultAt(cause, `"${name}"`);
}

const systemCodes = new Set<ErrorCode>(['system-fault', ...Object.values(meanings).map(({ code }) => code)]);

/** Whether a fault is the machine's, and not of what a file holds. */
export function isSystemFault(fault: unknown): fault is PayrunError {
  return fault instanceof PayrunError && systemCodes.has(fault.code);
}

function faultAt(cause: unknown, file: string): unknown {
  const { code, syscall, dest } = (cause ?? {}) as Partial<Record<string, string>>;
  if (!(cause instanceof Error) || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return cause;
  const meaning = meanings[code];
  if (!meaning && syscall === undefined) return cause;
  const what = meaning?.what(file) ?? `The system refused what was asked of it (${code}).`;
  return new PayrunError(meaning?.code ?? 'system-fault', capital(what), {
    found: [code, syscall, dest && `to ${dest}`].filter(Boolean).join(' '),
    ...(meaning?.todo === undefined ? {} : { todo: meaning.todo }),
    cause,
  });
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 80)}…${text.slice(-30)}` : text;
}
