import type { Command } from 'commander';
import pg from 'pg';
import { expect, test } from 'vitest';
import { PayrunCommand } from '../../src/commands/command.ts';
import type { Shell } from '../../src/commands/shell.ts';
import { describeError, type ErrorCode, PayrunError } from '../../src/errors.ts';
import { fillProgram, toldOf } from '../../src/program.ts';
import { describeFault, faultOf } from '../../src/runs/fault.ts';

/*
 * Whatever the operating system or the database server refuses, at whatever command: a person is told what, where and
 * what to do, with the exit code of the catalogue. It is raised as soon as the command looks at the world outside.
 */
type Refusal = [name: string, code: ErrorCode, exitCode: number];

const system: Refusal[] = [
  ['EACCES', 'no-permission', 2],
  ['EPERM', 'no-permission', 2],
  ['EROFS', 'no-permission', 2],
  ['ENOSPC', 'disk-full', 1],
  ['EDQUOT', 'disk-full', 1],
  ['EMFILE', 'too-many-files', 1],
  ['ENFILE', 'too-many-files', 1],
  ['ENOENT', 'wrong-path', 2],
  ['ENOTDIR', 'wrong-path', 2],
  ['EISDIR', 'wrong-path', 2],
  ['ELOOP', 'wrong-path', 2],
  ['ENAMETOOLONG', 'wrong-path', 2],
  ['EXDEV', 'wrong-path', 2],
  ['EIO', 'disk-fault', 1],
  ['EBUSY', 'system-fault', 1],
];

const database: Refusal[] = [
  ['08006', 'database-unreachable', 1],
  ['0A000', 'database-schema', 2],
  ['22003', 'database-refused', 1],
  ['23514', 'database-refused', 1],
  ['25006', 'database-read-only', 2],
  ['25P03', 'database-unreachable', 1],
  ['28P01', 'database-login', 2],
  ['3D000', 'database-login', 2],
  ['3F000', 'database-denied', 2],
  ['40001', 'database-busy', 1],
  ['42501', 'database-denied', 2],
  ['42P01', 'database-schema', 2],
  ['53100', 'database-exhausted', 1],
  ['53200', 'database-exhausted', 1],
  ['53300', 'database-exhausted', 1],
  ['54000', 'database-limit', 1],
  ['55P03', 'database-busy', 1],
  ['57014', 'database-canceled', 1],
  ['57P01', 'database-unreachable', 1],
  ['58030', 'database-damaged', 1],
  ['XX000', 'database-damaged', 1],
];

const secret = 'ada@example.com';

function systemError(name: string): Error {
  const path = '/books/outbox/march.csv';
  return Object.assign(new Error(`${name}: no, open '${path}'`), { code: name, syscall: 'open', path });
}

function databaseError(sqlstate: string): Error {
  const cause = new pg.DatabaseError(`value "${secret}" is not to the server's liking`, 0, 'error');
  return Object.assign(cause, { code: sqlstate, table: 'payout', constraint: 'payout_check' });
}

/** A shell in which every look at the world outside fails by `cause`. */
function failingShell(cause: Error): Shell {
  const calm = { does: (work: unknown) => work, onStop() {}, say() {}, show() {}, isInteractive: false };
  return new Proxy(calm as unknown as Shell, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name);
      if (name === 'signal') return new AbortController().signal;
      if (name === 'clock') return () => new Date();
      throw cause;
    },
  });
}

/** The words of every command that does something, with whatever operands and options it must have. */
function commandLines(command: Command, words: string[] = []): string[][] {
  const inner = command.commands.filter((one) => one.name() !== 'help');
  if (inner.length > 0) return inner.flatMap((one) => commandLines(one, [...words, one.name()]));
  const needed = command.options.filter((option) => option.mandatory);
  return [
    [
      ...words,
      ...command.registeredArguments.filter((one) => one.required).map(() => 'x'),
      ...needed.flatMap((option) => [option.long!, option.argChoices?.[0] ?? '1']),
    ],
  ];
}

function programOf(cause: Error): Command {
  const program = new PayrunCommand('payrun');
  fillProgram(program, failingShell(cause));
  return program;
}

function tell(cause: unknown): { text: string; exitCode: number } {
  const told = toldOf(cause, new AbortController().signal);
  return { text: describeError(told), exitCode: told.exitCode };
}

async function toldBy(words: string[], cause: Error) {
  const program = programOf(cause);
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr() {} });
    command.commands.forEach(quiet);
  };
  quiet(program);
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (raised) {
    // What the command finds wrong in its operands before it looks outside is another matter.
    if (raised === cause) return tell(raised);
    if (raised instanceof PayrunError && raised.code === 'usage') return undefined;
    throw raised;
  }
  throw new Error(`"${words.join(' ')}" never looked outside.`);
}

const lines = commandLines(programOf(new Error('not now')));

test.each([
  ...system.map((refusal) => [...refusal, systemError(refusal[0])] as const),
  ...database.map((refusal) => [...refusal, databaseError(refusal[0])] as const),
])('%s is told as %s with exit code %i by every command', async (_, code, exitCode, cause) => {
  let told = 0;
  for (const words of lines) {
    const answer = await toldBy(words, cause);
    if (answer === undefined) continue;
    told += 1;
    expect(answer.text, words.join(' ')).toContain(`[${code}]`);
    expect(answer.text).toMatch(/\n {2}to do: \S/);
    expect(answer.exitCode).toBe(exitCode);
  }
  expect(told).toBeGreaterThan(lines.length / 2);
});

test('each has a sentence of its own, with the path or the SQLSTATE', () => {
  const texts = system.map(([name]) => tell(systemError(name)).text);
  expect(new Set(texts.map((text) => text.split('\n')[0])).size).toBe(system.length);
  for (const text of texts.slice(0, -1)) expect(text).toContain('/books/outbox/march.csv');
  for (const [sqlstate] of database) {
    const { text } = tell(databaseError(sqlstate));
    expect(text).toContain(sqlstate);
  }
});

test('what is stored and logged of them has none of the server’s words, which may quote values', () => {
  const signal = new AbortController().signal;
  const known = [
    ...database.map(([name]) => databaseError(name)),
    ...system.map(([name]) => systemError(name)),
  ];
  for (const cause of known) {
    const { code, message } = describeFault(faultOf(cause, signal));
    expect(code).not.toBe('defect');
    expect(message).not.toContain(secret);
  }
});

test('a defect of Payrun’s own is said in one line, without its words', () => {
  const { text, exitCode } = tell(new TypeError(`${secret} is not a function`));
  expect(text).toMatch(/^error: This is a defect in Payrun\. .*\[defect\]$/m);
  expect(text).not.toContain(secret);
  expect(exitCode).toBe(1);
});
