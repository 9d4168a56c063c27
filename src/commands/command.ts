import {
  type AddHelpTextContext,
  type AddHelpTextPosition,
  Command,
  type CommanderError,
  Help,
} from 'commander';
import { PayrunError } from '../errors.ts';
import { wrapLine } from './layout.ts';

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

  override addHelpText(
    position: AddHelpTextPosition,
    text: string | ((context: AddHelpTextContext) => string),
  ): this {
    return super.addHelpText(position, (context) => fitted(typeof text === 'string' ? text : text(context)));
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

/** With `npx` before every command it still fits an old terminal. */
const pageWidth = 76;

/**
 * Examples and prose below a page as wide as that: what an example does stands below it where one of them is too long to
 * have it beside, and the lines of a paragraph are filled anew.
 */
function fitted(text: string): string {
  const isTooLong = text.split('\n').some((line) => line.startsWith(' ') && line.length > pageWidth);
  const apart = isTooLong ? text.replaceAll(/^( +\S.*?) {2,}(?=\S)/gm, '$1\n      ') : text;
  const filled = apart.replaceAll(/(?<=^[^ \n].*[^:\n])\n(?=[^ \n])/gm, ' ');
  const hangOf = (line: string) => ' '.repeat(/^ {2}\S/.test(line) ? 4 : line.search(/\S|$/));
  return filled
    .split('\n')
    .flatMap((line) => wrapLine(line, pageWidth, hangOf(line)))
    .join('\n');
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
