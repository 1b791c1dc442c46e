import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { codeOf } from '../../net/errors.ts';
import { formatHostPort, type HostPort } from '../../net/host-port.ts';
import { blockReasonOf, hostProblem } from '../../net/outbound/blocked-address.ts';
import { checkedLookup } from '../../net/outbound/checked-lookup.ts';
import type { HostLookups } from '../../net/outbound/host-lookups.ts';
import { ConnectError } from '../errors.ts';
import type { PacedReading } from './paced-reading.ts';
import type { Resolutions } from './resolve.ts';

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

/** Why a connection to a target cannot be opened: a label, and what the log says. */
export type ConnectionFailure = 'certificate' | 'name' | 'address' | 'connection';

/** What the connector of targets needs beside `--resolve`. */
export interface TargetConnections {
  authorities(): readonly string[];
  /** Of all targets. */
  readonly lookups: HostLookups;
  readonly reading: Pick<PacedReading, 'pace'>;
  /** Called with each connection that cannot be opened. */
  failed(reason: ConnectionFailure): void;
  /** Milliseconds for a connection with its TLS handshake. Default 5 seconds, as Envoy's. */
  readonly connectTimeout?: number;
}

const defaultConnectTimeout = 5_000;

/** What is said of a connection to a URL of the configuration that cannot be opened; see {@link explain}. */
const operatorHints = { ca: 'ca beside the URL of the keys, or in NODE_EXTRA_CA_CERTS', timeout: 10_000 } as const;

/**
 * Creates the `connect` function of an undici agent of the operator's URLs: with the address that `--resolve` gives,
 * and without a check.
 *
 * @param authorities PEM; by default those that Node has
 */
export function createOperatorConnector(
  resolutions: Resolutions,
  authorities?: readonly string[],
): buildConnector.connector {
  const { timeout } = operatorHints;
  const connect = buildConnector({ allowH2: false, timeout, ...(authorities && { ca: [...authorities] }) });
  return (options, callback) => {
    const host = hostOf(options);
    const port = portOf(options);
    const resolved = resolutions.find(host, port);
    const answer: buildConnector.Callback = (...[error, socket]) => {
      if (error === null) callback(null, socket);
      else callback(explain(error, formatHostPort({ host, port }), operatorHints), null);
    };
    connect({ ...options, ...namedIn(options, host), ...addressOf(resolved, host) }, answer);
  };
}

/**
 * Creates the `connect` function of the undici agent of targets. It connects to the address that `--resolve` gives, and
 * otherwise only to addresses that pass the check.
 *
 * A name is looked up once: the addresses that are checked are the ones that are connected to, which prevents DNS
 * rebinding. If one of several addresses is blocked, the host is refused. The certificate of a target must be of its
 * host, and of an authority that is known now: TLS sessions are not resumed.
 */
export function createTargetConnector(
  resolutions: Resolutions,
  { authorities, lookups, reading, failed, connectTimeout: timeout = defaultConnectTimeout }: TargetConnections,
): buildConnector.connector {
  const plain = buildConnector({ allowH2: false, timeout });
  const secureContext = createSharedContext(authorities);
  return (options, callback) => {
    const host = hostOf(options);
    const port = portOf(options);
    const refuse = (error: Error): void => {
      const explained = explain(error, formatHostPort({ host, port }), { ca: 'upstream.ca', timeout });
      failed(explained.failure === 'timeout' ? 'connection' : explained.failure);
      callback(explained, null);
    };
    const answer: buildConnector.Callback = (...[error, socket]) => {
      if (error !== null) return refuse(error);
      reading.pace(socket, formatHostPort({ host, port }));
      callback(null, socket);
    };
    const tls = options.protocol === 'https:' ? { secureContext: secureContext(), maxCachedSessions: 0 } : undefined;
    const resolved = resolutions.find(host, port);
    if (resolved !== undefined) {
      const connect = tls === undefined ? plain : buildConnector({ allowH2: false, timeout, ...tls });
      return connect({ ...options, ...namedIn(options, host), ...addressOf(resolved, host) }, answer);
    }
    const problem = hostProblem(host);
    if (problem !== undefined) return refuse(new BlockedAddressError(host, port, `is ${problem}`));
    const connect = buildConnector({ allowH2: false, timeout, lookup: targetLookup(lookups, port), ...tls });
    return connect({ ...options, hostname: host }, answer);
  };
}

/**
 * Returns what connections with TLS share, made anew when the authorities are other ones: reading those of a system
 * holds the event loop for as long as many calls take.
 */
function createSharedContext(authorities: () => readonly string[]): () => SecureContext {
  let made: { readonly of: readonly string[]; readonly context: SecureContext } | undefined;
  return () => {
    const current = authorities();
    if (made?.of !== current) made = { of: current, context: createSecureContext({ ca: [...current] }) };
    return made.context;
  };
}

function hostOf({ hostname }: buildConnector.Options): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The certificate must match the host as named, whatever address the connection is made to. */
function namedIn({ protocol, servername }: buildConnector.Options, host: string): { readonly servername?: string } {
  return isIP(host) === 0 && protocol === 'https:' ? { servername: servername || host } : {};
}

function addressOf(
  resolved: HostPort | undefined,
  host: string,
): { readonly hostname: string; readonly port?: string } {
  return resolved === undefined ? { hostname: host } : { hostname: resolved.host, port: String(resolved.port) };
}

/**
 * Says what to do about it, where that is known.
 *
 * @param named host and port
 * @param known where authorities are named, and the milliseconds that a connection has
 */
function explain(
  error: Error,
  named: string,
  { ca, timeout }: { readonly ca: string; readonly timeout: number },
): ConnectError {
  if (error instanceof BlockedAddressError) return new ConnectError('address', error.message);
  const code = codeOf(error) ?? '';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new ConnectError('timeout', `no connection to ${named} within ${timeout / 1_000} s`);
  }
  if ('syscall' in error && lookupCalls.includes(error.syscall)) {
    const what = `the name of ${named} does not resolve here (${code})`;
    const remedy = `correct it, or start with --resolve ${named}=<address>:<port>`;
    return new ConnectError('name', `${what}; ${remedy}`, { cause: error });
  }
  const certificate = certificateProblem(code, ca);
  if (certificate !== undefined) return new ConnectError('certificate', `${named} ${certificate} (${code})`);
  return new ConnectError('connection', error.message || code, { cause: error.cause });
}

/** `error.syscall` of lookups by the system, and by questions to its name servers. */
const lookupCalls: readonly unknown[] = ['getaddrinfo', 'queryA', 'queryAaaa'];

/** Words for the codes of OpenSSL and Node about a certificate; `undefined` for codes of another kind. */
function certificateProblem(code: string, ca: string): string | undefined {
  switch (code) {
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return `has a certificate of an authority that is not known here: name it in ${ca}`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return 'has a certificate for another name than that of its host';
    case 'CERT_HAS_EXPIRED':
      return 'has a certificate that has expired';
    case 'CERT_NOT_YET_VALID':
      return 'has a certificate that is not valid yet: compare the clocks';
    default:
      if (/^ERR_SSL_|^EPROTO$/.test(code)) return 'does not speak TLS as it should at this port';
      return /CERT|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/.test(code)
        ? 'has a certificate that is not valid'
        : undefined;
  }
}

/** The port of a URL or of undici's connection options, where the default port is empty. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The lookup of a target's host. */
function targetLookup(lookups: HostLookups, port: number): LookupFunction {
  return checkedLookup(
    lookups,
    blockReasonOf,
    (host, address, reason) =>
      new BlockedAddressError(host, port, `resolves to ${address}, which is a ${reason} address`),
  );
}
