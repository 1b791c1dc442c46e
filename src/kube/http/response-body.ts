import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Chunk size of gunzip, in bytes. With zlib's 16 KiB, a list of 12 MB costs half as much CPU again. */
const chunkSize = 64 * 1024;

/**
 * Reads and decompresses a body. Leaving the iteration early frees the connection, or its HTTP/2 stream.
 *
 * @param describe turns an error of the stream into the one that is thrown
 */
export async function* readBody(
  raw: Readable,
  encoding: string | undefined,
  describe: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    switch (encoding) {
      case undefined:
      case 'identity':
        yield* raw;
        break;
      case 'gzip':
        yield* pipeline(raw, createGunzip({ chunkSize: chunkSize }), () => {});
        break;
      default:
        throw new Error(`the answer is encoded as ${encoding.slice(0, 100)}, which nobody asked for`);
    }
  } catch (error) {
    throw describe(error);
  } finally {
    raw.destroy();
  }
}

/** The bytes of a body, as text. */
export interface BodyText {
  readonly text: string;
  /** False: it is longer, and its end was not read. */
  readonly complete: boolean;
}

/** Reads at most this many bytes of a body, and leaves the rest. @throws what the body throws */
export async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BodyText> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return { text: Buffer.concat(chunks).subarray(0, maxBytes).toString(), complete: size <= maxBytes };
}
