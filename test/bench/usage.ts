import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** What a measured process says of itself at its end. */
export interface Usage {
  /** Processor time of the process in seconds, in user and system mode. */
  cpuSeconds: number;
  peakBytes: number;
  /** How long after its start the work began: 0 unless the process set the mark `begin`. */
  beginSeconds: number;
}

// Loaded by --import before the program that is measured; elsewhere the variable is not set.
const file = process.env.PAYRUN_BENCH_USAGE;
if (file && isMainThread) process.on('exit', () => writeFileSync(file, JSON.stringify(usage())));

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const begin = performance.getEntriesByName('begin')[0]?.startTime ?? 0;
  return { cpuSeconds: (user + system) / 1e6, peakBytes: peakBytes(), beginSeconds: begin / 1000 };
}

/** Linux counts the memory of the parent into maxRSS of a child that it has forked, but not into VmHWM. */
function peakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes) return Number(kilobytes) * 1024;
  } catch {
    // No Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
