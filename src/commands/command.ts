import { Command, type CommanderError, Help } from 'commander';
import { PayrunError } from '../errors.ts';

const plain = new Help();

/** A command whose help marks what is required, and that names everything that is missing at once. */
export class PayrunCommand extends Command {
  constructor(name?: string) {
    super(name);
    this.configureHelp({
      showGlobalOptions: true,
      minWidthToWrap: 20,
      optionDescription: (option) =>
        [plain.optionDescription(option), ...(option.mandatory ? ['(required)'] : [])].join(' '),
    });
  }

  override createCommand(name?: string): PayrunCommand {
    return new PayrunCommand(name);
  }

  /** Called by commander for the first option that is missing, before it looks at the operands. */
  missingMandatoryOptionValue(): void {
    const operands = this.registeredArguments
      .filter((operand, index) => operand.required && this.args[index] === undefined)
      .map((operand) => `<${operand.name()}>`);
    const options = this.options
      .filter((option) => option.mandatory && this.getOptionValue(option.attributeName()) === undefined)
      .map((option) => option.flags);
    throw new PayrunError('usage', `This is missing: ${[...operands, ...options].join(', ')}.`, {
      todo: `Add it; "payrun help ${pathOf(this)}" says what each is for.`,
    });
  }
}

/** What is wrong with the command line, as commander found it. */
export function usageOf({ code, message }: CommanderError): PayrunError {
  if (code === 'commander.help') return new PayrunError('usage', 'Say which command.');
  return new PayrunError('usage', message.replace(/^error: /, '').replaceAll('\n', ' '));
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let one = command; one.parent; one = one.parent) names.unshift(one.name());
  return names.join(' ');
}
