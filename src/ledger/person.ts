import { PayrunError } from '../errors.ts';

/** What the books write where no person acted. */
export const nobodys = ['payrun', 'automatic'];

/**
 * The name of the person who does `what` (such as `An approval`), without surrounding blanks. Raises `usage` without
 * one, and for a name that is nobody's: Payrun's own, however it is written.
 */
export function personNamed(by: string, what: string): string {
  const name = by.trim();
  const detail = { todo: 'Say it with --by <name>: the name of a person, such as "Ada L.".' };
  if (foldedName(name) === '') throw new PayrunError('usage', `${what} needs the name of a person.`, detail);
  if (isNobody(name)) {
    throw new PayrunError('usage', `${what} needs the name of a person, and this is nobody's.`, {
      ...detail,
      found: name,
    });
  }
  return name;
}

/** Whether a name is one that the books use where no person acted. */
export function isNobody(name: string): boolean {
  return nobodys.includes(foldedName(name));
}

/** Whether two names mean the same person: blanks, case and ways to write a letter make no other one. */
export function isSamePerson(one: string, other: string): boolean {
  return foldedName(one) === foldedName(other);
}

function foldedName(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\s\p{Cf}]+/gu, '')
    .toLowerCase();
}
