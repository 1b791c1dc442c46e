import { promises, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { shortened } from '../../json/quoted.ts';
import { codeOf } from '../../net/errors.ts';
import { ConversionError } from '../conversion-error.ts';
import type { Limits } from '../model.ts';

/** Headers that describe a response body. */
export interface BodyHeaders {
  /** `Content-Encoding`; empty without one. */
  readonly encoding: string;
  /** `Content-Length` in bytes; NaN without one. */
  readonly length: number;
}

/**
 * Reads and decompresses a response body. Counts bytes before and after decompression as they arrive and stops at the
 * limits, regardless of the declared sizes (decompression bombs).
 */
export async function readResponseBody(
  body: Readable,
  headers: BodyHeaders,
  limits: Limits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const countDownloaded = byteLimit(limits.downloadBytes, 'The document');
  const countUnpacked = byteLimit(limits.unpackedBytes, 'The decompressed document');
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) chunks.push(chunk);
  };
  try {
    if (headers.length > limits.downloadBytes) throw ConversionError.tooLarge('The document', limits.downloadBytes);
    const decoder = createDecoder(headers.encoding);
    if (decoder === undefined) await promises.pipeline(body, countDownloaded, collect, { signal });
    else await promises.pipeline(body, countDownloaded, decoder, countUnpacked, collect, { signal });
  } catch (error) {
    body.on('error', () => {}).destroy();
    if (!isZlibError(error)) throw error;
    throw new ConversionError('content', `The document cannot be decompressed: ${shortened(error.message)}`);
  }
  return Buffer.concat(chunks);
}

type ByteLimit = (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer, void, void>;

function byteLimit(limit: number, subject: string): ByteLimit {
  return async function* count(source) {
    let total = 0;
    for await (const chunk of source) {
      total += chunk.length;
      if (total > limit) throw ConversionError.tooLarge(subject, limit);
      yield chunk;
    }
  };
}

/** Supports one encoding, not a list: servers do not apply two, and a chain multiplies the ratio of a bomb. */
function createDecoder(encoding: string): Transform | undefined {
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
      throw new ConversionError(
        'upstream',
        `The document comes with Content-Encoding ${shortened(encoding)}; gzip, br and deflate are read.`,
      );
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && /^(Z_|ERR_(_ERROR|BROTLI|ZLIB)|ERR_PADDING)/.test(codeOf(error) ?? '');
}
