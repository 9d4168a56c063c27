import { Temporal } from 'temporal-polyfill';

/** The offset that a local time has, and whether it comes twice in that night; `gap` when it never comes. */
type FoundOffset = { offset: string; twice: boolean } | 'gap';

/**
 * Finds the offset of local times in `zone`, each given as its day (YYYY-MM-DD), hour and minute (two digits). They are
 * looked up once for each quarter of an hour, because a look-up costs more than the rest of a row.
 */
export function offsetFinder(zone: string): (day: string, hour: string, minute: string) => FoundOffset {
  const known = new Map<string, FoundOffset>();
  return (day, hour, minute) => {
    const quarter = `${day}T${hour}:${String(Math.floor(Number(minute) / 15) * 15).padStart(2, '0')}`;
    let found = known.get(quarter);
    if (found === undefined) {
      if (known.size > 100_000) known.clear();
      found = offsetAt(Temporal.PlainDateTime.from(quarter), zone);
      known.set(quarter, found);
    }
    return found;
  };
}

function offsetAt(local: Temporal.PlainDateTime, zone: string): FoundOffset {
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  if (!earlier.toPlainDateTime().equals(local)) return 'gap';
  return { offset: earlier.offset, twice: earlier.epochMilliseconds !== later.epochMilliseconds };
}

/** The instant at which local day `day` (YYYY-MM-DD) begins in `zone`, as ISO 8601 with its offset. */
export function startOfDay(day: string, zone: string): string {
  return Temporal.PlainDate.from(day).toZonedDateTime(zone).toString({ timeZoneName: 'never' });
}
