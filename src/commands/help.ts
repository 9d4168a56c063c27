import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';

/** Adds `payrun help`. */
export function register(program: Command): void {
  program
    .command('help')
    .summary('print the help of a command')
    .description('Print the help of a command, or of one below it: payrun help import sales.')
    .argument('[command...]', 'its name')
    .action((names: string[]) => findCommand(program, names).outputHelp());
}

function findCommand(program: Command, names: string[]): Command {
  let command = program;
  for (const name of names) {
    const found = command.commands.find((one) => one.name() === name);
    if (!found) {
      const known = command.commands.map((one) => one.name());
      throw new PayrunError('usage', `There is no command "${names.join(' ')}".`, {
        todo: known.length === 0 ? 'Leave out what stands last.' : `There are: ${known.join(', ')}.`,
      });
    }
    command = found;
  }
  return command;
}
