import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { refusalOf } from './blocked-address.ts';
import { endpointText, type Resolutions } from './resolve.ts';

/** Whether connections to a host's own machine and link are refused. What `--resolve` names is always let through. */
export type Guard = 'targets' | 'none';

/** A host that may not be reached: at the address found for it, this machine or its link would answer. */
class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';

  constructor(host: string, port: number, address: string) {
    const at = host === address ? '' : ` resolves to ${address}, which`;
    super(
      `${endpointText({ host, port })}${at} is a ${refusalOf(address)} address, refused for a target; ` +
        `to reach it all the same, start with --resolve ${endpointText({ host, port })}=<address>:<port>`,
    );
  }
}

/**
 * Opens connections where `--resolve` says, and otherwise only to addresses that a target may have.
 *
 * A name is looked up once, and the addresses found are the ones that are checked and connected to, so that a second
 * answer of the name server cannot slip in between. When one of several addresses is refused, the host is.
 */
export function createConnector(resolutions: Resolutions, guard: Guard): buildConnector.connector {
  const open = buildConnector({ allowH2: false });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const port = options.port === '' ? (options.protocol === 'https:' ? 443 : 80) : Number(options.port);
    // The certificate is always that of the host as named, wherever the connection goes.
    const named = isIP(host) === 0 && options.protocol === 'https:' ? { servername: options.servername || host } : {};

    const resolved = resolutions.find(host, port);
    if (resolved !== undefined) {
      return open({ ...options, ...named, hostname: resolved.host, port: String(resolved.port) }, callback);
    }
    if (guard === 'none') return open({ ...options, hostname: host }, callback);
    if (isIP(host) !== 0 && refusalOf(host) !== undefined) {
      return callback(new RefusedAddressError(host, port, host), null);
    }
    return buildConnector({ allowH2: false, lookup: guardedLookup(port) })({ ...options, hostname: host }, callback);
  };
}

/** The system's look-up, which fails when an address found is refused. Sockets ask it for names only, never for addresses. */
function guardedLookup(port: number): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const refused = addresses.find(({ address }) => refusalOf(address) !== undefined);
      if (refused !== undefined) return callback(new RefusedAddressError(host, port, refused.address), []);
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
