import type { Session } from '../../src/db/connect.ts';

interface PlanNode {
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: PlanNode[];
}

/**
 * Does `work`, and returns the name of each statement in it with how many rows its plan has passed on or thrown away,
 * which does not depend on how fast the machine is.
 */
export async function rowsPassed(
  session: Session,
  work: () => Promise<unknown>,
): Promise<Map<string, number>> {
  const passed = new Map<string, number>();
  const note = ({ message = '' }: { message?: string }) => {
    const [, json] = /^duration: .* plan:\n(.*)$/s.exec(message) ?? [];
    if (json === undefined) return;
    const { 'Query Text': text, Plan: plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
    const name = /\/\* (\S+) \*\//.exec(text)?.[1] ?? text;
    passed.set(name, (passed.get(name) ?? 0) + passedBy(plan));
  };
  session.client.on('notice', note);
  await session.client.query(`
    load 'auto_explain';
    set local auto_explain.log_min_duration = 0;
    set local auto_explain.log_analyze = on;
    set local auto_explain.log_timing = off;
    set local auto_explain.log_format = json;
    set local auto_explain.log_level = notice`);
  try {
    await work();
  } finally {
    session.client.off('notice', note);
  }
  return passed;
}

function passedBy(node: PlanNode): number {
  const { 'Rows Removed by Filter': filtered = 0, 'Rows Removed by Join Filter': unjoined = 0 } = node;
  const own = (node['Actual Rows'] + filtered + unjoined) * node['Actual Loops'];
  return (node.Plans ?? []).reduce((sum, plan) => sum + passedBy(plan), own);
}
