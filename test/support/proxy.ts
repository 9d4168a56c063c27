import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

/** What a client sent: the kind of the message (a letter of the protocol) and its bytes as text. */
export interface Message {
  kind: string;
  text: string;
  /** Whether its connection is in a transaction in which a run does its work. */
  isWork: boolean;
}

/**
 * Where the connection is cut: `answered`, after the server has done what it was asked but before the client hears of
 * it; `gone`, likewise, together with all other connections, and there are no new ones; `unsent`, before the server
 * hears of it; `stuck`, likewise, but the server believes that its client is still there.
 */
export type Cut = 'answered' | 'gone' | 'unsent' | 'stuck';

export interface Proxy {
  /** The address of the database through the proxy. */
  url: string;
  /** Cuts every connection on which a message that `matches` comes, so many times. */
  cut(matches: (message: Message) => boolean, how?: Cut, times?: number): void;
  /** How many connections were cut. */
  cuts(): number;
  /** Takes connections again. */
  back(): void;
}

/** The commit of a transaction in which a run does its work. */
export const workCommit = ({ text, isWork }: Message) => isWork && text === 'commit';

/** The commit of anything else: an election, a configuration that is applied. */
export const otherCommit = ({ text, isWork }: Message) => !isWork && text === 'commit';

/** The statement that ends a run. */
export const ending = ({ kind, text }: Message) =>
  kind === 'P' && text.includes('update "run"') && text.includes('"finished_at"');

/** A TCP proxy before the Postgres at `url` that reads what clients send, and can cut their connections. */
export async function proxyBefore(url: string): Promise<Proxy> {
  const [server, through] = [new URL(url), new URL(url)];
  let [cuts, left] = [0, 0];
  let [matches, how]: [(message: Message) => boolean, Cut] = [() => false, 'answered'];
  let isGone = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => sockets.add(socket.on('error', () => {}));

  const proxy = createServer((client) => {
    keep(client);
    if (isGone) return void client.destroy();
    const upstream = connect(Number(server.port), server.hostname);
    keep(upstream);
    let isCut: Cut | undefined;
    let isWork = false;
    const read = messagesOf((kind, bytes) => {
      if (isCut === 'unsent' || isCut === 'stuck') return;
      const text = bytes.toString('latin1', 5).split('\0').filter(Boolean)[0] ?? '';
      if (text.includes('/* runs.work */')) isWork = true;
      if (left > 0 && matches({ kind, text, isWork })) {
        [isCut, left, cuts] = [how, left - 1, cuts + 1];
        if (isCut === 'unsent') upstream.destroy();
        if (isCut === 'unsent' || isCut === 'stuck') return void client.destroy();
      }
      if (text === 'commit' || text === 'rollback') isWork = false;
      upstream.write(bytes);
    });
    let answer = Buffer.alloc(0);
    upstream.on('data', (bytes) => {
      if (isCut === undefined) return void client.write(bytes);
      answer = Buffer.concat([answer, bytes]);
      if (!isReady(answer)) return;
      isGone = isCut === 'gone';
      for (const socket of isGone ? sockets : [client, upstream]) socket.destroy();
    });
    client.on('data', read);
    client.on('close', () => isCut !== 'stuck' && upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  through.hostname = '127.0.0.1';
  through.port = String((proxy.address() as AddressInfo).port);
  return {
    url: through.href,
    cut: (given, where = 'answered', times = 1) => {
      [matches, how, left, cuts] = [given, where, times, 0];
    },
    cuts: () => cuts,
    back: () => {
      isGone = false;
    },
  };
}

/** Takes the bytes of a client apart into messages; the first has no kind. */
function messagesOf(hear: (kind: string, bytes: Buffer) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isFirst = true;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const head = isFirst ? 0 : 1;
      if (rest.length < head + 4) return;
      const length = head + rest.readUInt32BE(head);
      if (rest.length < length) return;
      const kind = isFirst ? '' : String.fromCharCode(rest[0]!);
      isFirst = false;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      hear(kind, message);
    }
  };
}

/** Whether the server's bytes end with "ready for query". */
function isReady(bytes: Buffer): boolean {
  return bytes.length >= 6 && bytes.subarray(-6, -1).equals(Buffer.from([0x5a, 0, 0, 0, 5]));
}
