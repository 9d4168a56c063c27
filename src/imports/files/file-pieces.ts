import { open } from 'node:fs/promises';

const pieceLength = 1 << 18;

/**
 * Hands the bytes of a file to `take`, piece by piece. Each piece is in the memory of the one before, so it must not be
 * kept: pieces with memory of their own pile up faster than they are collected, and were most of what an import needed.
 */
export async function eachPiece(
  file: string,
  signal: AbortSignal,
  take: (piece: Buffer) => void,
): Promise<void> {
  const handle = await open(file);
  try {
    const memory = Buffer.allocUnsafeSlow(pieceLength);
    for (;;) {
      const { bytesRead } = await handle.read(memory, 0, memory.length, null);
      if (bytesRead === 0) return;
      signal.throwIfAborted();
      take(memory.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
