/** The reason why a gateway cannot start. The message names the flag, field or port, the problem, and the remedy. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';

  /** `usage`: a flag or the configuration is wrong. `environment`: a port is in use, or a file cannot be read. */
  readonly reason: 'usage' | 'environment';

  constructor(reason: 'usage' | 'environment', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Formats an error as one line of at most 1,000 characters, for a log field or a message. Includes the causes, since
 * `fetch` puts its reason there.
 */
export function reasonOf(error: unknown): string {
  const line = messageOf(error).replace(/[\p{Cc}\s]+/gu, ' ');
  return line.length > maxLength ? `${line.slice(0, maxLength)} …` : line;
}

/** Characters. Some errors quote a whole page that the peer sent. */
const maxLength = 1_000;

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message === '' ? error.name : error.message;
  return error.cause instanceof Error ? `${message}: ${messageOf(error.cause)}` : message;
}
