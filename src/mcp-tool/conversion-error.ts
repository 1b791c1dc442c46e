/**
 * Why a document is not converted.
 *
 * - `uri`: the URI is malformed, or of a kind that is not served
 * - `address`: the host is not at a public address
 * - `upstream`: the host could not be reached, or answered something else than a document
 * - `size`, `time`, `memory`: a limit was exceeded
 * - `busy`: too many conversions at the moment
 * - `format`: no converter for this kind of document
 * - `content`: the document is damaged, or not what it is called
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

/** A document that is not converted. The message is a sentence for the one who asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }

  /** An error of a parser, as the refusal of a damaged document; a refusal stays what it is. */
  static damaged(kind: string, error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    const why = error instanceof Error ? error.message : String(error);
    return new Refusal('content', `The document cannot be read as ${kind}: ${why}`, { cause: error });
  }
}

/** A number of bytes as people say it: `16 MiB`, `1.5 KiB`, `12 bytes`. */
export function inBytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), units.length - 1);
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]}`;
}
