import type { Command } from 'commander';
import { serveApi } from '../api/api.ts';
import { PayrunError } from '../errors.ts';
import { warnOfUnapplied } from './applied.ts';
import { withWorkspace } from './open.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun serve`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('serve')
    .summary('serve the API')
    .description('Serve the API until told to stop; requests under way are then answered first.')
    .option('--host <address>', 'the address to listen at', '127.0.0.1')
    .option('--port <number>', 'the port; 0 takes a free one', '8080')
    .action(shell.does((flags: { host: string; port: string }) => serve(shell, flags)));
}

async function serve(shell: Shell, { host, port: text }: { host: string; port: string }): Promise<Answer> {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new PayrunError('usage', 'This is no port.', { place: { field: '--port' }, found: text });
  const stop = new AbortController();
  shell.onStop((count) => {
    stop.abort();
    return count === 1;
  });
  await withWorkspace(
    shell,
    async (context) => {
      await warnOfUnapplied(context);
      await serveApi(context, {
        host,
        port,
        env: shell.env,
        stop: stop.signal,
        onListening: (url) => shell.say(url),
      });
    },
    { signal: new AbortController().signal, alwaysLog: true, connections: 10 },
  );
  return { data: { stopped: true }, text: () => '' };
}
