import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { type Command, CommanderError } from 'commander';
import { PayrunCommand } from './commands/command.ts';
import { createExit } from './commands/exit.ts';
import type { GlobalOptions, Shell } from './commands/shell.ts';
import { describeError, errorData } from './errors.ts';
import { fillProgram, toldOf } from './program.ts';
import { systemClock } from './time.ts';

const stopping = new AbortController();
const program = new PayrunCommand('payrun');
const exit = createExit(process, process.env, {
  isColoured: () => program.opts<{ color: boolean }>().color && !process.env.NO_COLOR,
  commands: () => program.commands.map((command) => command.name()),
});
program
  .configureOutput({
    writeOut: (text) => exit.print(text.trimEnd()),
    writeErr: (text) => exit.say(text.trimEnd()),
    // What is wrong is told once, by report().
    outputError: () => {},
  })
  .exitOverride();
fillProgram(program, createShell(program));
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

function createShell(root: Command): Shell {
  const globals = () => root.opts<GlobalOptions>();
  let zone: string | undefined;
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
        const text = answer.text(exit.paint(zone));
        if (text !== '') exit.print(text);
      },
    show: (text) => {
      if (!globals().json) exit.print(text(exit.paint(zone)));
    },
    tellTimesIn: (told) => {
      zone = told;
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
  const told = toldOf(cause, stopping.signal);
  // Without a command, the help says what there is.
  if (!(cause instanceof CommanderError && cause.code === 'commander.help')) exit.say(describeError(told));
  if (program.opts<GlobalOptions>().json || process.argv.includes('--json'))
    exit.document({ error: errorData(told) });
  if (process.env.PAYRUN_DEBUG === '1') exit.say(inspect(cause));
  return told.exitCode;
}
