import type { Config } from '../config.ts';
import type { Db } from '../db/connect.ts';
import { showId } from '../ids.ts';
import { type Clock, showDuration, showInstant } from '../time.ts';
import type { Finding } from './finding.ts';
import { zoneOfJob } from './options.ts';
import { plural } from './render.ts';

/** What a clock may be ahead without a word. */
const tolerated = 120_000;

interface Ahead {
  ref: string;
  job: string;
  runs: number;
  id: string;
  latest: Date;
}

/**
 * Problems with clocks, the server's being the one that counts: that of this machine is ahead of it, or was that of
 * another that ran jobs for a time that has not come yet.
 */
export async function checkClock(config: Config, db: Db, clock: Clock): Promise<Finding[]> {
  const refs = config.accounts.map((account) => account.ref);
  const { now, ahead } = await db.session(async ({ client }) => ({
    now: (await client.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now,
    ahead: (
      await client.query<Ahead>(
        `/* check.clock */
         select ref, job, count(*)::integer as runs, (array_agg(run.id order by at desc))[1] as id, max(at) as latest
         from run join account using (account_id), lateral (select coalesce(slot, started_at) as at) as time
         where ref = any($1) and parent_id is null and at > clock_timestamp() + make_interval(secs => $2)
         group by ref, job order by ref, job`,
        [refs, tolerated / 1000],
      )
    ).rows,
  }));
  const difference = clock().getTime() - now.getTime();
  const findings = ahead.map(
    (one): Finding =>
      problem(
        describe(config, one),
        `Set the clock of the machine that ran it right, and see what it did: payrun runs show ${showId('run', one.id)}`,
      ),
  );
  if (difference > tolerated) {
    const message = `the clock of this machine is ${showDuration(difference)} ahead of the database's`;
    findings.unshift(
      problem(
        message,
        'Set it right; until then no slot runs before it has come by the clock of the database.',
      ),
    );
  }
  return findings;
}

function describe(config: Config, { ref, job, runs, latest }: Ahead): string {
  const whose = config.accounts.length > 1 ? `${ref}: ` : '';
  const when = showInstant(latest, zoneOfJob(config, job));
  return `${whose}${plural(runs, 'run')} of ${job} for the future, by the clock of the database, the latest at ${when}: no slot that has not come counts as done`;
}

function problem(message: string, todo: string): Finding {
  return { check: 'clock', status: 'problem', message, todo, exitCode: 1 };
}
