import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PayrunCommand } from '../../src/commands/command.ts';
import { createExit } from '../../src/commands/exit.ts';
import type { GlobalOptions, Shell } from '../../src/commands/shell.ts';
import { describeError, PayrunError } from '../../src/errors.ts';
import { systemClock } from '../../src/time.ts';
import type { Place } from './payrun.ts';

const folder = fileURLToPath(new URL('../../src/commands/', import.meta.url));

/** Every subcommand, as the files of its folder register it. */
export async function everyCommand(shell: Shell): Promise<PayrunCommand> {
  const program = new PayrunCommand('payrun');
  program
    .option('-w, --workspace <folder>')
    .option('-a, --account <ref>')
    .option('--json')
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const file of readdirSync(folder)) {
    const { register } = await import(path.join(folder, file));
    register?.(program, shell);
  }
  return program;
}

/** The commands that do something, by their whole names: `payouts list`. */
export function leavesOf(program: PayrunCommand['commands'][number], before: string[] = []): string[] {
  return program.commands.flatMap((command) => {
    const names = [...before, command.name()];
    return command.commands.length === 0 ? [names.join(' ')] : leavesOf(command, names);
  });
}

export interface Screen {
  /** Runs a command before a terminal of so many columns, or into a pipe: what stands on stdout and stderr then. */
  see(args: string[], columns?: number): Promise<string>;
}

/** A terminal in a workspace. */
export function openScreen({ cwd, url, env = {} }: Place): Screen {
  return {
    async see(args, columns) {
      let seen = '';
      const stream = { isTTY: columns !== undefined, columns, write: (text: string) => (seen += text) };
      const streams = { stdout: stream, stderr: stream } as unknown as Parameters<typeof createExit>[0];
      let program: PayrunCommand | undefined;
      let zone: string | undefined;
      const exit = createExit(streams, env, { isColoured: () => false, commands: () => [] });
      const globals = () => program!.opts<GlobalOptions>();
      const shell: Shell = {
        ...{ cwd, env: { ...env, DATABASE_URL: url, USER: 'ada' }, clock: systemClock, globals },
        ...{ signal: new AbortController().signal, isInteractive: true },
        does:
          (work) =>
          async (...given) => {
            const answer = await work(...given);
            if (globals().json) exit.document(answer.data);
            else exit.print(answer.text(exit.paint(zone)));
          },
        show: (text) => void (globals().json || exit.print(text(exit.paint(zone)))),
        tellTimesIn: (told) => {
          zone = told;
        },
        data: exit.data,
        say: exit.say,
        onStop: () => {},
      };
      program = await everyCommand(shell);
      try {
        await program.parseAsync(args, { from: 'user' });
      } catch (cause) {
        if (!(cause instanceof PayrunError)) throw cause;
        exit.say(describeError(cause));
      }
      return seen;
    },
  };
}

/** The rows of a list as JSON, which stand alone or under the name of the list. */
export function rowsOf(document: unknown): Record<string, string>[] {
  const rows = Array.isArray(document) ? document : Object.values(document as object)[0];
  return rows as Record<string, string>[];
}
