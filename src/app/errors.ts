import { formatHostPort, type HostPort } from '../net/host-port.ts';
import { ListenError } from '../net/http-listener.ts';

/** A failure of the environment, such as a port in use or an unreadable kubeconfig: exit code 3. The message is for the user. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * Runs `open`, which opens listeners, and translates its errors.
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
    const chosen = Object.entries(flags);
    const isAbout = ([, { host, port }]: (typeof chosen)[number]): boolean =>
      error instanceof ListenError && error.at.host === host && error.at.port === port;
    const [flag, address] = chosen.find(isAbout) ?? chosen[0] ?? [];
    if (flag === undefined || address === undefined) throw error;
    const { reason } = error instanceof ListenError ? error : new ListenError(address, undefined, error);
    throw new EnvironmentError(`cannot listen on ${formatHostPort(address)} (--${flag}): ${reason}`, { cause: error });
  }
}
