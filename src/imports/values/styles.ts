import { PayrunError } from '../../errors.ts';

/** What shows how a column of numbers or dates is written: one of its own values, and where that stands. */
export interface Evidence {
  /** The canonical field, such as `amount`. */
  field: string;
  /** In words, such as `decimal comma` or `day first`. */
  style: string;
  line: number;
  value: string;
  /** The name of the file in which it stands, where that is the one whose rejects this one has. */
  file?: string;
}

/** A column of a file, for messages. */
export interface ColumnPlace {
  file: string;
  field: string;
}

/** The text of a cell that stands for different things in different styles, while none of the column's is proven. */
export const unproven = 'unproven';

/** A column whose style its values prove, in whatever row the first of them that does stands. */
export interface ProvenColumn {
  readonly evidence: Evidence | undefined;
  /** Whether looking for a value that proves the style is of use. */
  readonly isOpen: boolean;
  /** Looks at a cell for its style alone. */
  prove(text: string, line: number): void;
  /** All cells were looked at: from now on a text that is unproven refuses the file. */
  close(): void;
}

/** A key of a source in payrun.json, in words with examples, and one example as it stands there. */
interface StyleSetting {
  name: string;
  example: string;
}

/** The style of one column: unknown until a value proves it, and the same from then on. */
export class Style<Kind extends string> {
  evidence: Evidence | undefined;
  kind: Kind | undefined;
  isClosed = false;
  readonly #place: ColumnPlace;
  readonly #names: Record<Kind, string>;
  readonly #setting: StyleSetting;

  /** `names` are the kinds in words; `setting` decides instead of the values. */
  constructor(place: ColumnPlace, names: Record<Kind, string>, setting: StyleSetting) {
    this.#place = place;
    this.#names = names;
    this.#setting = setting;
  }

  /** Raises `file-refused` where an earlier value proved the opposite. */
  prove(kind: Kind, value: string, line: number): void {
    if (this.evidence === undefined) {
      this.kind = kind;
      this.evidence = { field: this.#place.field, style: this.#names[kind], line, value };
    }
    if (this.kind === kind) return;
    const { file, field } = this.#place;
    const first = this.evidence;
    const where = first.file === undefined ? '' : ` of ${first.file}`;
    throw new PayrunError(
      'file-refused',
      `The column of ${field} is written in two ways: "${first.value}" in line ${first.line}${where} has ${first.style}, "${value}" in line ${line} has ${this.#names[kind]}.`,
      {
        place: { file, line, field },
        found: value,
        todo: `Write all of them in one way, or set ${this.#setting.name} in the source, which rejects the rows that are written otherwise.`,
      },
    );
  }

  /** What to do about a value that the style decides and nothing proves: look further, or refuse the file. */
  undecided(value: string, line: number, meanings: string[]): typeof unproven {
    if (!this.isClosed) return unproven;
    const { file, field } = this.#place;
    throw new PayrunError(
      'file-refused',
      `"${value}" may be ${meanings.join(' or ')}, and no other value of ${field} in the file shows which.`,
      {
        place: { file, line, field },
        found: value,
        todo:
          `Set ${this.#setting.name} in the source of payrun.json that reads the file. Where none does, the account’s ` +
          `sources need one without a mapping: { "ref": "own", "kind": "sales_csv", "program": "…", ${this.#setting.example} }`,
      },
    );
  }
}
