import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

const browser = [process.env.CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
if (browser === undefined)
  process.stderr.write('SKIPPED: no browser; install chromium, or name one in CHROMIUM\n');

/** A shop whose every page loads the script of the desk; its address. */
async function shop(script: string): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      `<!doctype html><title>Shop</title><script src="${script}"></script><a href="/checkout">Buy</a>`,
    );
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.skipIf(browser === undefined)(
  'who follows a link is kept until the checkout, and credited when Stripe’s log comes',
  async () => {
    const desk = await serveDesk(db);
    await desk.world.affiliate({ ref: 'jane', short_code: 'jane-smith-a1b2' });
    const address = await shop(`${desk.url}/attribution.js`);
    const chrome = await chromium.launch({ executablePath: browser!, args: ['--no-sandbox'] });
    onTestFinished(() => chrome.close());
    const page = await chrome.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    const metadata = async () =>
      page.evaluate(() => {
        const kept = (name: string) => globalThis.sessionStorage.getItem(name);
        return { affiliate_id: kept('aff_ref'), affiliate_session_id: kept('aff_sess') };
      });
    await page.goto(`${address}/pricing`);
    expect(await metadata()).toEqual({ affiliate_id: null, affiliate_session_id: null });
    await page.goto(`${address}/pricing?ref=jane-smith-a1b2&aff_sess=s-1&utm=%F0%9F%98%80`);
    await page.click('a');
    await page.waitForURL('**/checkout');
    const brought = await metadata();
    expect(brought).toEqual({ affiliate_id: 'jane-smith-a1b2', affiliate_session_id: 's-1' });
    expect(faults).toEqual([]);

    const charge = {
      object: 'charge',
      id: 'ch_3P',
      amount: 4900,
      currency: 'usd',
      paid: true,
      captured: true,
    };
    const object = { ...charge, status: 'succeeded', created: 1_772_000_000, metadata: brought };
    const event = {
      object: 'event',
      id: 'evt_1',
      type: 'charge.succeeded',
      created: 1_772_000_000,
      livemode: true,
    };
    const landed = await desk.land('events', `${JSON.stringify({ ...event, data: { object } })}\n`);
    expect([landed.counts.recorded, landed.totals.USD]).toEqual([1, { sales: '49.00', commissions: '9.80' }]);
    expect(await audited(desk.world)).toEqual([]);
  },
  60_000,
);

test('the script needs no key', async () => {
  const desk = await serveDesk(db);
  const { status, headers, text } = await desk.send('GET', '/attribution.js');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  expect(text).toContain('sessionStorage');
});
