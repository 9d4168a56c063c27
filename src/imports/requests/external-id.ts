import { saysEmpty } from '../values/cells.ts';
import { composed } from '../values/values.ts';

/** An external id of a request as every door writes it: trimmed and composed; undefined where it says that there is none. */
export function readExternalId(text: string): string | undefined {
  const id = composed(text.trim());
  return id === '' || saysEmpty(id) ? undefined : id;
}
