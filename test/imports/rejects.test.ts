import { mkdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { PayrunError } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import { importFile } from '../../src/imports/import.ts';
import { temporaryName } from '../../src/runs/leftovers.ts';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { today } from '../support/world.ts';
import { deskOfAnn, filesIn, header, importsOf, three } from './ann.ts';

const { db } = await testDatabase();
/** Imports, takes the rejects file, corrects it as a person would, and imports it as it is. */
async function correct(
  desk: Desk,
  kind: 'sales' | 'events',
  text: string,
  correction: (rejects: string) => string,
  source?: string,
) {
  const options = source === undefined ? {} : { source };
  const first = await desk.land(kind, text, options);
  const rejects = await readFile(path.join(desk.workspace, first.report.rejects_file!), 'utf8');
  const second = await desk.land(kind, correction(rejects), options);
  return {
    first: first.counts,
    id: first.report.import,
    rejects,
    second: second.counts,
    again: second.report,
  };
}

describe('a rejects file', () => {
  test('has the original columns and values, then where it was rejected and why, and opens as UTF-8', async () => {
    const desk = await deskOfAnn(db);
    const text = `note;${header.replaceAll(',', ';')}\n"a; ""b""\nc";s-1;Müller;1.00;USD;2026-01-10\nfine;s-2;ann;1.00;USD;2026-01-10\n`;
    const { report } = await desk.land('sales', text);
    const file = path.join(desk.workspace, report.rejects_file!);
    expect(await readFile(file, 'utf8')).toBe(
      `\ufeffnote;${header.replaceAll(',', ';')};import;line;error;field;message;suggestion\r\n` +
        `"a; ""b""\nc";s-1;Müller;1.00;USD;2026-01-10;${report.import};2;affiliate-unknown;affiliate;"There is no affiliate ""Müller""; import the affiliate first, or correct the name.";\r\n`,
    );
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(report.rejects_file).toBe(`rejects/${report.import}.csv`);
  });

  test('can be imported as it is once its rows are corrected', async () => {
    const desk = await deskOfAnn(db);
    const text = `${header},note\ns-1,nobody,1.00,USD,2026-01-10,"two\nlines"\ns-2,ann,2.00,USD,2026-01-10,\ns-3,ann,x,USD,2026-01-10,\n`;
    const { first, second } = await correct(desk, 'sales', text, (rejects) =>
      rejects.replace('nobody', 'ann').replace(',x,', ',3.00,'),
    );
    expect(first).toMatchObject({ rows: 3, recorded: 1, rejected: 2 });
    expect(second).toMatchObject({ rows: 2, recorded: 2, rejected: 0 });
    const notes = await db.sql
      .selectFrom('conversion')
      .select(['external_id', 'note'])
      .where('account_id', '=', desk.world.accountId)
      .orderBy('external_id')
      .execute();
    expect(notes).toEqual([
      { external_id: 's-1', note: 'two\nlines' },
      { external_id: 's-2', note: null },
      { external_id: 's-3', note: null },
    ]);
  });

  test('keeps to its source: other headers, positions, delimiter and decimal mark', async () => {
    const source = {
      ref: 'shop',
      kind: 'sales_csv',
      decimal: ',',
      date_format: 'DD.MM.YYYY',
      mapping: { external_id: 'Beleg', affiliate: '#1', amount: '#4', occurred_at: 'Tag' },
      defaults: { currency: 'USD' },
    };
    const desk = await deskOfAnn(db, { sources: [source] });
    const text = 'Partner;Beleg;Tag;Betrag\nnobody;1;10.01.2026;1,50\nann;2;10.01.2026;1.50\n';
    const { first, second } = await correct(
      desk,
      'sales',
      text,
      (rejects) => rejects.replace('nobody', 'ann').replace('1.50', '1,50'),
      'shop',
    );
    expect([first.rejected, second.recorded]).toEqual([2, 2]);
    expect([...(await booked(desk.world)).values()].map((sale) => sale.amount)).toEqual([150n, 150n]);
  });

  test('is understood as its first file was, and says that the evidence stands there', async () => {
    const desk = await deskOfAnn(db);
    const text = `${header}\ns-1,ann,1.00,USD,25/12/2025\ns-2,nobody,2.00,USD,03/04/2026\n`;
    const first = await desk.land('sales', text, { name: 'december.csv' });
    const rejects = await readFile(path.join(desk.workspace, first.report.rejects_file!), 'utf8');
    const corrected = rejects.replace(',nobody,', ',ann,');
    const { report } = await desk.land('sales', corrected, { name: 'corrected.csv', dryRun: true });
    const shown = { field: 'occurred_at', style: 'the day before the month', line: 2, value: '25/12/2025' };
    expect(report.preview!.styles).toContainEqual({ ...shown, file: 'december.csv' });
  });

  test('in which one row was corrected gives the other one back, with its columns once', async () => {
    const desk = await deskOfAnn(db);
    const text = `${header}\ns-1,nobody,1.00,USD,2026-01-10\ns-2,nobody,1.00,USD,2026-01-10\n`;
    const { rejects, second } = await correct(desk, 'sales', text, (one) => one.replace('nobody', 'ann'));
    expect(second).toMatchObject({ rows: 2, recorded: 1, rejected: 1 });
    const names = (await filesIn(desk, 'rejects')).map((name) => path.join(desk.workspace, 'rejects', name));
    const headers = await Promise.all(
      names.map(async (name) => (await readFile(name, 'utf8')).split('\r\n')[0]),
    );
    expect(new Set(headers)).toEqual(new Set([rejects.split('\r\n')[0]]));
  });

  test('of an event log has the lines letter for letter, the fault added, and comes back as well', async () => {
    const desk = await deskOfAnn(db);
    const line =
      '{ "event_name":"paid", "event_type":"conversion","sale_amount":5.00, "sale_amount_currency":"USD","external_event_id":"e-1","customer_id":"c-1","metadata":{"affiliate_id":"nobody"} }';
    const { first, id, rejects, second, again } = await correct(desk, 'events', `${line}\n{}\n`, (text) =>
      text.replace('"nobody"', '"ann"'),
    );
    expect(rejects.split('\n')).toEqual([
      `${line.slice(0, -2)},"import":"${id}","line":1,"error":"affiliate-unknown","field":"metadata.affiliate_id","message":"There is no affiliate \\"nobody\\"; import the affiliate first, or correct the name."}`,
      `{"import":"${id}","line":2,"error":"required","field":"event_name","message":"\\"event_name\\" is empty; every row needs it."}`,
      '',
    ]);
    expect(again.rejects_of).toBe(id);
    expect([first, second]).toMatchObject([{ rejected: 2 }, { recorded: 1, rejected: 1 }]);
    expect(await readFile(path.join(desk.workspace, again.rejects_file!), 'utf8')).toBe(
      `{"import":"${again.import}","line":2,"error":"required","field":"event_name","message":"\\"event_name\\" is empty; every row needs it."}\n`,
    );
  });
});

describe('a rejects file of a log with a line that is no JSON', () => {
  const line = JSON.stringify({
    event_type: 'conversion',
    event_name: 'paid',
    customer_id: 'c-1',
    external_event_id: 'e-1',
    sale_amount: 10,
    sale_amount_currency: 'USD',
    metadata: { affiliate_id: 'ann' },
  });
  const broken = line.replace('"c-1",', '"c-1"');

  test('has the line as a text, in which it can be put right', async () => {
    const desk = await deskOfAnn(db);
    const mended = (rejects: string) => rejects.replace('\\"c-1\\"', '\\"c-1\\",');
    const { first, second, again, id } = await correct(desk, 'events', `${broken}\n`, mended);
    expect([first, second]).toMatchObject([{ rejected: 1 }, { recorded: 1, rejected: 0 }]);
    expect(again.rejects_of).toBe(id);
    expect((await booked(desk.world)).get('e-1')).toMatchObject({ affiliate: 'ann', amount: 1_000n });
  });

  test('keeps the line as it is when it comes again as it was', async () => {
    const desk = await deskOfAnn(db);
    const { rejects, second, again, id } = await correct(
      desk,
      'events',
      `${broken}\n`,
      (text) => `${text}\n`,
    );
    expect(second).toMatchObject({ rejected: 1 });
    const anew = await readFile(path.join(desk.workspace, again.rejects_file!), 'utf8');
    expect(anew).toBe(rejects.replace(id, again.import));
    expect(JSON.parse(anew)).toMatchObject({ text: broken, error: 'json' });
  });
});

describe('a rejects file of an import that ended between commit and rename', () => {
  /** Imports, and loses the server in the moment of the commit: `kept` says on which side of it. */
  async function lose(desk: Desk, kept: boolean): Promise<string> {
    const file = await desk.put('march.csv', three);
    const work = desk.work();
    const lost = new PayrunError('commit-unknown', 'The database did not answer.');
    const { transaction } = work;
    work.transaction = async (code) => {
      if (kept) await transaction(code);
      else
        await transaction(async (session, mover) => {
          await code(session, mover);
          throw lost;
        });
      throw lost;
    };
    await expect(importFile(work, { kind: 'sales', file })).rejects.toBe(lost);
    const [part] = await filesIn(desk, 'rejects');
    expect(part).toMatch(/^\.imp_\w{26}\.csv\.run_\w{26}\.\w{12}\.part$/);
    return part!;
  }

  const nameOf = (part: string) => /imp_\w+\.csv/.exec(part)![0];

  const next = async (desk: Desk, now: Date) =>
    importFile(desk.work({ now, runId: await desk.world.run('next') }), {
      kind: 'sales',
      file: await desk.put('next.csv', `${header}\nn-${now.getTime()},ann,1.00,USD,2026-01-10\n`),
    });

  test('gets its name by the next import, when its own was kept', async () => {
    const desk = await deskOfAnn(db);
    const part = await lose(desk, true);
    await next(desk, today);
    expect(await filesIn(desk, 'rejects')).toEqual([nameOf(part)]);
    const stored = (await importsOf(desk)).find((one) => one.file === 'march.csv');
    expect(stored?.rejects_file).toBe(`rejects/${nameOf(part)}`);
    expect(await readFile(path.join(desk.workspace, stored!.rejects_file!), 'utf8')).toContain('s-2,nobody');
  });

  test('goes once its run has ended, when its own was not; before, the run may be alive and commit, however old it is', async () => {
    const desk = await deskOfAnn(db);
    const part = await lose(desk, false);
    await next(desk, new Date(today.getTime() + 7 * 86_400_000));
    expect(await filesIn(desk, 'rejects')).toEqual([part]);
    await db.sql
      .updateTable('run')
      .set({ status: 'lost' })
      .where('account_id', '=', desk.world.accountId)
      .where('id', '=', desk.world.runId)
      .execute();
    await next(desk, today);
    expect(await filesIn(desk, 'rejects')).toEqual([]);
  });

  test('goes after a day, when nothing is known of its run, and never what somebody else has put there', async () => {
    const desk = await deskOfAnn(db);
    await mkdir(path.join(desk.workspace, 'rejects'));
    const left = `rejects/.imp_0000000000000000000000000a.csv.${temporaryName(newId(today)).slice(1)}`;
    await desk.put(left, '');
    await desk.put('rejects/.mine.part', '');
    await next(desk, new Date(today.getTime() + 86_400_000 - 1));
    expect(await filesIn(desk, 'rejects')).toHaveLength(2);
    await next(desk, new Date(today.getTime() + 86_400_001));
    expect(await filesIn(desk, 'rejects')).toEqual(['.mine.part']);
  });

  test('that another import has named already is as it should be: the import is done', async () => {
    const desk = await deskOfAnn(db);
    const work = desk.work();
    const { transaction } = work;
    work.transaction = async (code) => {
      const outcome = await transaction(code);
      // Between the commit and the name another import settles the folder.
      await next(desk, today);
      return outcome;
    };
    const file = await desk.put('march.csv', three);
    const { report } = await importFile(work, { kind: 'sales', file });
    expect(report.warnings).toEqual([]);
    expect(await filesIn(desk, 'rejects')).toEqual([path.basename(report.rejects_file!)]);
  });
});
