#!/usr/bin/env node
// The command `payrun`. In the published package it starts the built code, in a checkout the sources. Both need a Node
// that strips types, for the jobs at least; the package brings one for machines whose own Node is older.
// This file must run on those as well.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const isCheckout = existsSync(new URL('./cli.ts', import.meta.url));

// Whoever started this process with a channel, as an older Node does below, was killed: nobody would stop it any more.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

if (!stripsTypes()) startWithOwnNode();
else if (isCheckout) await import('./cli.ts');
else await import('../dist/cli.js');

function stripsTypes() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

function startWithOwnNode() {
  const node = ownNode();
  if (node === undefined) {
    const bring = isCheckout
      ? 'Run "npm ci", which brings a newer Node along'
      : 'Install Payrun again with install scripts allowed (the one of "node" brings a newer Node along), or install a newer Node yourself';
    console.error(
      `error: Payrun needs Node 22.18 or newer; this is ${process.version}. [usage]\n` +
        `  to do: ${bring}, and start the command again.`,
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // Ctrl-C in a terminal reaches the child by itself.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

/** The Node that the npm package `node` brings, wherever npm has put it; undefined where it is missing. */
function ownNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  try {
    const brought = createRequire(import.meta.url).resolve('node/package.json');
    const node = path.join(path.dirname(brought), 'bin', name);
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}
