import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import * as adjust from './commands/adjust.ts';
import * as affiliates from './commands/affiliates.ts';
import * as apply from './commands/apply.ts';
import * as audit from './commands/audit.ts';
import * as balances from './commands/balances.ts';
import * as check from './commands/check.ts';
import { usageOf } from './commands/command.ts';
import * as commissions from './commands/commissions.ts';
import * as conflicts from './commands/conflicts.ts';
import * as db from './commands/db.ts';
import * as demo from './commands/demo.ts';
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
import type { Shell } from './commands/shell.ts';
import * as start from './commands/start.ts';
import { PayrunError } from './errors.ts';
import { packageRoot } from './package-root.ts';
import { describeFault, faultOf } from './runs/fault.ts';

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

/** Gives the program its options and every command, which do their work in `shell`. */
export function fillProgram(root: Command, shell: Shell): void {
  root
    .description('Nightly reconciliation and payouts for partner programmes, on Postgres.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .option('-w, --workspace <folder>', 'the folder with payrun.json; else the nearest one upwards from here')
    .option('-a, --account <ref>', 'the account, where payrun.json has several')
    .option('--json', 'print one JSON document')
    .option('--no-color', 'print without colours, as the variable NO_COLOR does')
    .addHelpText('after', examples);
  for (const [heading, commands] of groups) {
    root.commandsGroup(`${heading}:`);
    for (const command of commands) command.register(root, shell);
  }
  root.helpCommand(false);
}

/** Whatever a command raised, as a person is told it: what nobody else can be blamed for is a `defect`. */
export function toldOf(cause: unknown, signal: AbortSignal): PayrunError {
  const fault = faultOf(cause instanceof CommanderError ? usageOf(cause) : cause, signal);
  if (fault instanceof PayrunError) return fault;
  return new PayrunError('defect', `This is a defect in Payrun. ${describeFault(fault).message}`);
}

function readVersion(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
