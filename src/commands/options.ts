import type { Config } from '../config.ts';
import { PayrunError } from '../errors.ts';
import { parseInstant } from '../time.ts';
import type { Shell } from './shell.ts';

export const asOfFlag = '--as-of <when>';
export const asOfHelp =
  "the moment to decide for: 2026-03-01, 2026-03-01T02:00 (in the job's zone, else UTC) or with an offset; now when left out";
/** Required wherever a person decides: no decision is anybody's just because he is logged in. */
export const byFlag = '--by <name>';
export const byHelp = 'who decides it: the name of a person';
export const reasonFlag = '--reason <text>';
export const reasonHelp = 'why, for everyone who asks later';
export const limitFlag = '--limit <count>';
export const limitHelp = 'at most so many';
export const dryRunFlag = '--dry-run';
export const dryRunHelp = 'do everything, show what would happen, and undo it';

/** The moment that --as-of names, read in `zone` where it has no offset; now without it. Raises `usage`. */
export function readAsOf(shell: Shell, text: string | undefined, zone: string): Date {
  if (text === undefined) return shell.clock();
  const instant = parseInstant(text, zone);
  if (instant) return instant;
  throw new PayrunError('usage', 'This is no date or time.', {
    place: { field: '--as-of' },
    found: text,
    todo: 'Write a day such as 2026-03-01, or a time such as 2026-03-01T02:00 or 2026-03-01T02:00:00Z.',
  });
}

/** A calendar day, `YYYY-MM-DD`. Raises `usage`. */
export function readDay(flag: string, text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && parseInstant(text, 'UTC')) return text;
  throw new PayrunError('usage', 'This is no day.', {
    place: { field: flag },
    found: text,
    todo: 'Write it as year, month and day: 2026-03-01.',
  });
}

/** The zone in which an account's times are told: that of its programmes; UTC where they have several. */
export function zoneOfAccount(config: Config, ref: string): string {
  const programs = config.accounts.find((account) => account.ref === ref)?.programs ?? [];
  const zones = new Set(programs.map((program) => program.timezone));
  return zones.size === 1 ? [...zones][0]! : 'UTC';
}

/** The zone that a job is scheduled in; UTC for one that is not. */
export function zoneOfJob(config: Config, job: string): string {
  return config.jobs[job]?.timezone ?? 'UTC';
}

/** A whole number of at least 1. Raises `usage`. */
export function readCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new PayrunError('usage', 'This is no number of at least 1.', { place: { field: flag }, found: text });
}
