import { formatHostPort, type HostPort } from '../net/host-port.ts';
import { ListenError } from '../net/listener/http-listener.ts';

/** A failure of the environment, such as a port in use: exit code 3. The message is for the user. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * Runs `open`, which opens listeners, and adds the flag to a ListenError.
 *
 * @param flags the addresses, by the name of the flag that chooses each
 * @throws EnvironmentError that names the address, its flag, the reason and the remedy
 */
export async function withListenFlags<T>(
  flags: Readonly<Record<string, HostPort>>,
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { at, reason } = error;
    const [flag] = Object.entries(flags).find(([, { host, port }]) => at.host === host && at.port === port) ?? [];
    throw new EnvironmentError(`cannot listen on ${formatHostPort(at)} (--${flag}): ${reason}`, { cause: error });
  }
}
