import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { formatHostPort } from '../../net/host-port.ts';
import { blockReasonOf, hostProblem } from '../../net/outbound/blocked-address.ts';
import { checkedLookup } from '../../net/outbound/checked-lookup.ts';
import type { Resolutions } from './resolve.ts';

/**
 * The address check before a connection. `targets`: blocked addresses are refused, unless `--resolve` names the host
 * and port. `none`: every address is allowed.
 */
export type AddressCheck = 'targets' | 'none';

/** A connection to a target was refused, because its host or the address of its host is blocked. */
class BlockedAddressError extends Error {
  override readonly name = 'BlockedAddressError';

  /** @param problem what the host is, as the end of a sentence */
  constructor(host: string, port: number, problem: string) {
    const named = formatHostPort({ host, port });
    super(
      `${named} ${problem}, refused for a target; ` +
        `to reach it all the same, start with --resolve ${named}=<address>:<port>`,
    );
  }
}

/**
 * Creates the `connect` function of an undici agent. It connects to the address that `--resolve` gives, and otherwise
 * only to addresses that pass the check.
 *
 * A name is looked up once: the addresses that are checked are the ones that are connected to, which prevents DNS
 * rebinding. If one of several addresses is blocked, the host is refused.
 */
export function createConnector(resolutions: Resolutions, check: AddressCheck): buildConnector.connector {
  const connect = buildConnector({ allowH2: false });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const port = portOf(options);
    // The certificate must match the host as named, whatever address the connection is made to.
    const named = isIP(host) === 0 && options.protocol === 'https:' ? { servername: options.servername || host } : {};

    const resolved = resolutions.find(host, port);
    if (resolved !== undefined) {
      return connect({ ...options, ...named, hostname: resolved.host, port: String(resolved.port) }, callback);
    }
    if (check === 'none') return connect({ ...options, hostname: host }, callback);
    const problem = hostProblem(host);
    if (problem !== undefined) return callback(new BlockedAddressError(host, port, `is ${problem}`), null);
    return buildConnector({ allowH2: false, lookup: targetLookup(port) })({ ...options, hostname: host }, callback);
  };
}

/** The port of a URL or of undici's connection options, where the default port is empty. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The lookup of a target's host. */
function targetLookup(port: number): LookupFunction {
  return checkedLookup(
    blockReasonOf,
    (host, address, reason) =>
      new BlockedAddressError(host, port, `resolves to ${address}, which is a ${reason} address`),
  );
}
