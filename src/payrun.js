#!/usr/bin/env node
// The command `payrun`. In the published package it starts the built code. In a checkout it starts the sources,
// which need a Node that strips types; the project brings one for machines whose own Node is older.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const isCheckout = existsSync(new URL('./cli.ts', import.meta.url));

if (!isCheckout) await import('../dist/src/cli.js');
else if (stripsTypes()) await import('./cli.ts');
else startWithOwnNode();

function stripsTypes() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

function startWithOwnNode() {
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    console.error(
      `error: In a checkout Payrun needs Node 22.18 or newer; this is ${process.version}. [usage]\n` +
        '  to do: Run "npm ci", which brings a newer Node along, and start the command again.',
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches the child by itself.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
