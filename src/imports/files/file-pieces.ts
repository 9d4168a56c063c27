import { open } from 'node:fs/promises';

const pieceLength = 1 << 18;

/**
 * Hands the bytes of a file to `take`, piece by piece, while the next one is read. Each piece is in the memory of the one
 * before the last, so it must not be kept: pieces with memory of their own pile up faster than they are collected, and
 * were most of what an import needed.
 */
export async function eachPiece(
  file: string,
  signal: AbortSignal,
  take: (piece: Buffer) => void,
): Promise<void> {
  const handle = await open(file);
  const memories = [Buffer.allocUnsafeSlow(pieceLength), Buffer.allocUnsafeSlow(pieceLength)];
  const read = (turn: number) => handle.read(memories[turn % 2]!, 0, pieceLength, null);
  let reading = read(0);
  try {
    for (let turn = 1; ; turn += 1) {
      const { buffer, bytesRead } = await reading;
      if (bytesRead === 0) return;
      signal.throwIfAborted();
      reading = read(turn);
      take(buffer.subarray(0, bytesRead));
    }
  } finally {
    await reading.catch(() => {});
    await handle.close();
  }
}
