// Loaded by --import before the program that is measured, which then says at its end what it used. In JavaScript, so
// that it does not bring the compiler of types into the memory that is measured.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.PAYRUN_BENCH_USAGE;
if (file && isMainThread) process.on('exit', () => writeFileSync(file, JSON.stringify(usage())));

function usage() {
  const { user, system } = process.cpuUsage();
  const begin = performance.getEntriesByName('begin')[0]?.startTime ?? 0;
  return { cpuSeconds: (user + system) / 1e6, peakBytes: peakBytes(), beginSeconds: begin / 1000 };
}

/** Linux counts the memory of the parent into maxRSS of a child that it has forked, but not into VmHWM. */
function peakBytes() {
  try {
    const kilobytes = /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes) return Number(kilobytes) * 1024;
  } catch {
    // No Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
