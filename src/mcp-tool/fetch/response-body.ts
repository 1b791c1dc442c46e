import { promises, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Limits } from '../model.ts';
import { inBytes, Refusal } from '../conversion-error.ts';

/** What the headers say about a body: its `Content-Encoding`, and its length, which may be missing (NaN). */
export interface BodyHeaders {
  readonly encoding: string;
  readonly length: number;
}

/**
 * Reads a body to its end, decompressed. Both sides of the decompression are counted as the bytes pass, so a small
 * answer that grows is given up at the limit, whatever its headers promised.
 */
export async function readBody(
  body: Readable,
  headers: BodyHeaders,
  limits: Limits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const wire = capped(limits.wireBytes, 'The document');
  const plain = capped(limits.plainBytes, 'The decompressed document');
  const keep = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) chunks.push(chunk);
  };
  try {
    if (headers.length > limits.wireBytes) throw tooLarge('The document', limits.wireBytes);
    const decoder = decoderOf(headers.encoding);
    if (decoder === undefined) await promises.pipeline(body, wire, keep, { signal });
    else await promises.pipeline(body, wire, decoder, plain, keep, { signal });
  } catch (error) {
    body.on('error', () => {}).destroy();
    throw isZlibError(error) ? new Refusal('content', `The document cannot be decompressed: ${error.message}`) : error;
  }
  return Buffer.concat(chunks);
}

type Counter = (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer, void, void>;

function capped(limit: number, what: string): Counter {
  return async function* count(source) {
    let total = 0;
    for await (const chunk of source) {
      total += chunk.length;
      if (total > limit) throw tooLarge(what, limit);
      yield chunk;
    }
  };
}

/** The refusal of something that is larger than it may be. */
export function tooLarge(what: string, limit: number): Refusal {
  return new Refusal('size', `${what} is larger than ${inBytes(limit)}.`);
}

/** One encoding at most: nobody serves documents in two, and a chain of them multiplies what a bomb can do. */
function decoderOf(encoding: string): Transform | undefined {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new Refusal(
        'upstream',
        `The document comes with Content-Encoding ${encoding}; gzip, br and deflate are read.`,
      );
  }
}

function isZlibError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && /^(Z_|ERR_(_ERROR|BROTLI|ZLIB)|ERR_PADDING)/.test(String(error.code))
  );
}
