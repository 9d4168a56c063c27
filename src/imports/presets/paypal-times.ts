import { isZone } from '../../time.ts';
import { dateReader } from '../values/dates.ts';

const numbers = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$/;

/**
 * A reader for the days of one report, which are written as the account's country does: `31.12.2026` has the day
 * first; `12/31/2026` says nothing until one number of the column is above 12, or a source states its date format.
 */
export function dayReader(stated: string | undefined) {
  let isDayFirst = stated === undefined ? undefined : /DD.*MM/.test(stated);
  let isMixed = false;
  let isOpen = false;
  return {
    look(text: string): void {
      const [, first, mark, second] = numbers.exec(text) ?? [];
      if (first === undefined || mark === '.' || stated !== undefined) return;
      const proven = Number(first) > 12 ? true : Number(second) > 12 ? false : undefined;
      isOpen = true;
      if (proven === undefined) return;
      isMixed ||= isDayFirst !== undefined && isDayFirst !== proven;
      isDayFirst = proven;
    },
    settle(preset: string): { what: string; todo: string } | undefined {
      if (!isMixed && (isDayFirst !== undefined || !isOpen)) return undefined;
      return {
        what: isMixed
          ? 'Some dates of the file have the day first, others the month.'
          : 'No date of the file tells whether the day or the month stands first.',
        todo: `Describe a source with "preset": "${preset}" and "date_format": "MM/DD/YYYY" or "DD/MM/YYYY" in payrun.json, run "payrun apply" and import with --source.`,
      };
    },
    /** The day as `YYYY-MM-DD`; what is no such day as it is. */
    read(text: string): string {
      const [, first, mark, second, year] = numbers.exec(text) ?? [];
      if (first === undefined || second === undefined) return text;
      const [day, month] = mark === '.' || isDayFirst ? [first, second] : [second, first];
      return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
    },
  };
}

/** What PayPal writes for a zone where it does not write its name; each stands for one offset, summer time included. */
const offsets: Record<string, string> = {
  PST: '-08:00',
  PDT: '-07:00',
  MST: '-07:00',
  MDT: '-06:00',
  CST: '-06:00',
  CDT: '-05:00',
  EST: '-05:00',
  EDT: '-04:00',
  UTC: 'Z',
  GMT: 'Z',
  BST: '+01:00',
  CET: '+01:00',
  CEST: '+02:00',
  MEZ: '+01:00',
  MESZ: '+02:00',
  AEST: '+10:00',
  AEDT: '+11:00',
};

const readers = new Map<string, ReturnType<typeof dateReader>>();

/**
 * Day and time in `zone`, an abbreviation or an IANA name, as ISO 8601 with an offset. With a zone that nobody knows, or
 * where that time never comes, the three as they are, so that the row is rejected and shows them; where it comes twice,
 * the earlier, and `onTwice` is told.
 */
export function momentOf(
  { day, time, zone }: { day: string; time: string; zone: string },
  onTwice: () => void,
): string {
  const local = `${day}T${time}`;
  const offset = offsets[zone.toUpperCase()];
  if (offset !== undefined) return local + offset;
  let reader = readers.get(zone);
  if (!reader && zone.includes('/') && isZone(zone)) {
    reader = dateReader('iso', zone);
    readers.set(zone, reader);
  }
  const read = reader?.(local);
  if (typeof read !== 'object') return `${day} ${time} ${zone}`;
  if (read.twice) onTwice();
  return read.instant;
}
