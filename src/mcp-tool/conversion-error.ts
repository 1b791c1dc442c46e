import { shortened } from '../json/quoted.ts';

/**
 * Why a conversion failed. The log carries it as the field `reason`.
 *
 * - `uri`: the URI is malformed or has a scheme that is not served
 * - `address`: the host resolves to an address that is not public
 * - `upstream`: the host is unreachable, or its response is not a document
 * - `size`, `time`, `memory`: a limit was exceeded
 * - `busy`: the limit of concurrent conversions is reached, or the operating system starts no process
 * - `format`: no converter for this kind of document
 * - `content`: the document is damaged, or is not of its declared type
 * - `stopped`: the server is shutting down
 */
export type Reason =
  | 'uri'
  | 'address'
  | 'upstream'
  | 'size'
  | 'time'
  | 'memory'
  | 'busy'
  | 'format'
  | 'content'
  | 'stopped';

/** A conversion that failed because of its input or a limit. The message is a sentence for the caller of the tool. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }

  /** Wraps a parser's error as `content`; returns a ConversionError unchanged. */
  static unreadable(format: string, error: unknown): ConversionError {
    if (error instanceof ConversionError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new ConversionError('content', `The document cannot be read as ${format}: ${shortened(message)}`, {
      cause: error,
    });
  }

  /** @param limit in bytes or characters */
  static tooLarge(subject: string, limit: number): ConversionError {
    return new ConversionError('size', `${subject} is larger than ${formatBytes(limit)}.`);
  }
}

/** Formats a number of bytes: `16 MiB`, `1.5 KiB`, `12 bytes`. */
function formatBytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), units.length - 1);
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]}`;
}
