import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { type Command, CommanderError } from 'commander';
import * as adjust from './commands/adjust.ts';
import * as affiliates from './commands/affiliates.ts';
import * as apply from './commands/apply.ts';
import * as audit from './commands/audit.ts';
import * as balances from './commands/balances.ts';
import * as check from './commands/check.ts';
import { PayrunCommand, usageOf } from './commands/command.ts';
import * as commissions from './commands/commissions.ts';
import * as conflicts from './commands/conflicts.ts';
import * as db from './commands/db.ts';
import * as demo from './commands/demo.ts';
import { createExit } from './commands/exit.ts';
import * as explain from './commands/explain.ts';
import * as help from './commands/help.ts';
import * as importing from './commands/import.ts';
import * as imports from './commands/imports.ts';
import * as init from './commands/init.ts';
import * as keys from './commands/keys.ts';
import * as payouts from './commands/payouts.ts';
import * as release from './commands/release.ts';
import * as run from './commands/run.ts';
import * as runs from './commands/runs.ts';
import * as serve from './commands/serve.ts';
import type { GlobalOptions, Shell } from './commands/shell.ts';
import * as start from './commands/start.ts';
import { describeError, errorData, PayrunError } from './errors.ts';
import { packageRoot } from './package-root.ts';
import { describeFault, faultOf } from './runs/fault.ts';
import { systemClock } from './time.ts';

const groups = [
  ['A workspace', [init, check, apply, demo]],
  ['The night', [run, runs, start]],
  ['Money', [importing, imports, conflicts, release, commissions, adjust, payouts]],
  ['Answers', [explain, affiliates, balances, audit]],
  ['The API', [serve, keys]],
  ['Machinery', [db, help]],
] as const;

const examples = `
Examples:
  payrun init                        begin a workspace in this folder
  payrun apply                       take over what payrun.json says
  payrun run nightly                 the whole night, now
  payrun payouts list                what is to be paid
  payrun explain INV-1001            why a sale's commission is where it is

Data goes to stdout, everything else to stderr. With --json, stdout has one JSON
document, also where the command fails. Exit codes: 0 done, 1 failed, 2 wrong
usage or configuration, 3 done with something left for a person, 4 already
running.`;

const stopping = new AbortController();
const program = new PayrunCommand('payrun');
const exit = createExit(process, process.env, {
  isColoured: () => program.opts<{ color: boolean }>().color && !process.env.NO_COLOR,
  commands: () => program.commands.map((command) => command.name()),
});
fillProgram(program);
process.on('uncaughtException', (cause) => process.exit(report(cause)));
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  // Who reads the output has seen enough.
  process.exit(cause.code === 'EPIPE' ? process.exitCode : report(cause));
});
// The young generation stays as large as loading the code has made it: rows by the million live for a moment, and
// memory must not follow their number.
setFlagsFromString('--semi-space-growth-factor=1');
try {
  await program.parseAsync(process.argv);
} catch (cause) {
  process.exitCode = report(cause);
}

function fillProgram(root: Command): void {
  root
    .description('Nightly reconciliation and payouts for partner programmes, on Postgres.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .option('-w, --workspace <folder>', 'the folder with payrun.json; else the nearest one upwards from here')
    .option('-a, --account <ref>', 'the account, where payrun.json has several')
    .option('--json', 'print one JSON document')
    .option('--no-color', 'print without colours, as the variable NO_COLOR does')
    .configureOutput({
      writeOut: (text) => exit.print(text.trimEnd()),
      writeErr: (text) => exit.say(text.trimEnd()),
      // What is wrong is told once, by report().
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText('after', examples);
  const shell = createShell(root);
  for (const [heading, commands] of groups) {
    root.commandsGroup(`${heading}:`);
    for (const command of commands) command.register(root, shell);
  }
  root.helpCommand(false);
}

function createShell(root: Command): Shell {
  const globals = () => root.opts<GlobalOptions>();
  return {
    cwd: process.cwd(),
    env: process.env,
    clock: systemClock,
    signal: stopping.signal,
    isInteractive: process.stderr.isTTY === true,
    globals,
    does:
      (work) =>
      async (...args) => {
        const answer = await work(...args);
        process.exitCode = answer.exitCode ?? 0;
        if (globals().json) return exit.document(answer.data);
        const text = answer.text(exit.paint());
        if (text !== '') exit.print(text);
      },
    show: (text) => {
      if (!globals().json) exit.print(text(exit.paint()));
    },
    data: exit.data,
    say: exit.say,
    onStop: listenForStop((count) => {
      if (count === 1) exit.say('stopping…');
      stopping.abort();
      return count === 1;
    }),
  };
}

/** Counts the requests to stop and asks the handler about each; returns how to replace that handler. */
function listenForStop(first: (count: number) => boolean): Shell['onStop'] {
  let handle = first;
  let count = 0;
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      count += 1;
      if (!handle(count)) process.exit(exitCode);
    });
  }
  return (replacement) => {
    handle = replacement;
  };
}

/** Tells what went wrong: a person on stderr, with --json also whoever reads stdout. Returns the exit code. */
function report(cause: unknown): number {
  if (cause instanceof CommanderError && cause.exitCode === 0) return 0;
  const fault = faultOf(cause instanceof CommanderError ? usageOf(cause) : cause, stopping.signal);
  const isDefect = !(fault instanceof PayrunError);
  const told = isDefect
    ? new PayrunError('defect', `This is a defect in Payrun. ${describeFault(fault).message}`)
    : fault;
  // Without a command, the help says what there is.
  if (!(cause instanceof CommanderError && cause.code === 'commander.help')) exit.say(describeError(told));
  if (program.opts<GlobalOptions>().json || process.argv.includes('--json'))
    exit.document({ error: errorData(told) });
  if (process.env.PAYRUN_DEBUG === '1') exit.say(inspect(cause));
  return told.exitCode;
}

function readVersion(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
