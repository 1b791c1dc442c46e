import type { ListenAddress } from '../cli/flags.ts';
import { EnvironmentError } from '../cli/terminal.ts';

/** What the codes of the operating system mean to the person at the terminal. */
const reasons: readonly (readonly [code: string, reason: string])[] = [
  ['EADDRINUSE', 'the port is in use; stop the other program or choose another port'],
  ['EADDRNOTAVAIL', 'this machine has no such address; choose one that it has'],
  ['EACCES', 'this user may not; choose a port from 1024 on'],
];

/**
 * Opens listeners, at the addresses that these flags choose. One that cannot be had becomes an EnvironmentError that
 * names its address, its flag and a remedy.
 */
export async function listening<T>(flags: Readonly<Record<string, ListenAddress>>, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, reason = message] = reasons.find(([code]) => message.includes(code)) ?? [];
    const chosen = Object.entries(flags);
    const [flag, address] = chosen.find(([, one]) => isAbout(error, one)) ?? chosen[0] ?? [];
    const place = flag !== undefined && address !== undefined ? ` on ${addressText(address)} (--${flag})` : '';
    throw new EnvironmentError(`cannot listen${place}: ${reason}`, { cause: error });
  }
}

/** An address as it is written: IPv6 in brackets. */
export function addressText({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Node's own errors have the address that they are about. */
function isAbout(error: unknown, { host, port }: ListenAddress): boolean {
  if (!(error instanceof Error && 'address' in error && 'port' in error)) return false;
  return error.address === host && error.port === port;
}
