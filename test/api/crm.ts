import type { Served } from './serving.ts';

/** A client of conversion entries, which has found its business and its first source as real ones do. */
export async function crm(desk: Served) {
  const keys = [await desk.key('entries'), await desk.key('entries')];
  let asked = 0;
  // One key has 60 requests a minute.
  const key = () => keys[Math.min(keys.length - 1, Math.floor(asked++ / 55))]!;
  const { body: businesses } = await desk.send('GET', '/api/v1/businesses', { key: key() });
  const businessId: string = businesses.data[0].id;
  const base = `/api/v1/businesses/${businessId}`;
  const get = (path: string) => desk.send('GET', `${base}/${path}`, { key: key() });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    desk.send('POST', `${base}/${path}`, { key: key(), body, headers });
  const configs = await get('conversions/configs?limit=100&isActive=true');
  const configId: string = configs.body.data[0].id;
  const sources = await get(`conversions/configs/${configId}/sources?limit=100`);
  const sourceId: string = sources.body.data[0]?.id;
  return {
    businessId,
    configId,
    sourceId,
    get,
    post,
    /** Makes a contact and returns its id. */
    async contact(fields: Record<string, string>): Promise<string> {
      return (await post('contacts', fields)).body.data.id;
    },
    entry: (fields: Record<string, unknown> | undefined, headers?: Record<string, string>) =>
      post('conversions/entries', fields && { sourceId, ...fields }, headers),
    raw: (text: string) => post('conversions/entries', text),
  };
}
