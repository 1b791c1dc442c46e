/** What keeps a gateway from starting. The message says what is wrong, where, and what to do about it. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';

  /** `usage`: a flag or the configuration is wrong. `environment`: a port is in use, a file cannot be read. */
  readonly reason: 'usage' | 'environment';

  constructor(reason: 'usage' | 'environment', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** What went wrong, in one line of bounded length, for a log or a message. Includes the cause, where `fetch` hides the reason. */
export function reasonOf(error: unknown): string {
  const line = messageOf(error).replace(/[\p{Cc}\s]+/gu, ' ');
  return line.length > longest ? `${line.slice(0, longest)} …` : line;
}

/** Some errors quote what the other side sent, which can be a whole page. */
const longest = 1_000;

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message === '' ? error.name : error.message;
  return error.cause instanceof Error ? `${message}: ${messageOf(error.cause)}` : message;
}
