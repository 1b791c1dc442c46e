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
