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

/** No connection to a target could be opened, so that nothing was sent to it. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';

  readonly failure: 'certificate' | 'name' | 'address' | 'connection' | 'timeout';

  constructor(failure: ConnectError['failure'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** There are as many connections to a target as there may be. The message names the limit. */
export class TargetConnectionsError extends Error {
  override readonly name = 'TargetConnectionsError';
}
