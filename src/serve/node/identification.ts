import { Node } from '../../gen/envoy/config/core/v3/base.ts';
import { detached } from '../../json/detached.ts';
import { quoted } from '../../json/quoted.ts';
import type { IdentifiedBy } from '../model.ts';
import { bounded } from '../request/bounded-text.ts';

/** The claims of a stream about its node, not verified. */
export interface NodeClaims {
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** Every value of the request header `x-alt-xds-hostname`. */
  readonly header: readonly string[];
  readonly authority: string | undefined;
}

/** The cluster facts that an identification depends on, besides the node. */
export interface IdentifyRules {
  readonly clusterDomain: string;
  /** Returns whether a Gateway of that name exists, of any GatewayClass. */
  readonly exists: (gateway: string) => boolean;
  /** Whether the server has authenticated the node; an `:authority` is ignored then, since it proves nothing. */
  readonly authenticated: boolean;
}

/** The result of looking for the Gateway of a node. The messages are for its operator. */
export type Identification =
  | { readonly kind: 'gateway'; readonly gateway: string; readonly by: IdentifiedBy }
  /** Not one clause is present. The message says how to name a Gateway. */
  | { readonly kind: 'nothing-named'; readonly message: string }
  | { readonly kind: 'refused'; readonly code: 'INVALID_ARGUMENT'; readonly message: string };

/**
 * Finds the Gateway of a node, by the first of four clauses that is present: host names (`alt_xds_hostname` in the
 * metadata and `x-alt-xds-hostname` in the headers, which have to agree), the role in the metadata, `GATEWAY_NAME` and
 * `NAMESPACE` in the metadata, the `:authority`. A host name, role or name that is malformed is an error, and the next
 * clause is not tried; an `:authority` that is no host name of an existing Gateway counts as absent, as does an empty
 * value.
 */
export function identify(claims: NodeClaims, rules: IdentifyRules): Identification {
  return (
    fromHostNames(claims, rules.clusterDomain) ??
    fromRole(claims) ??
    fromGatewayName(claims) ??
    fromAuthority(claims, rules) ??
    nothingNamed
  );
}

const nothingNamed: Identification = {
  kind: 'nothing-named',
  message:
    'the node does not name its Gateway; name it in one of five ways: node.metadata.alt_xds_hostname or the request ' +
    'header x-alt-xds-hostname (<gateway>.<namespace>[.svc[.<cluster domain>]]), node.metadata.role ' +
    '([<prefix>~]<namespace>~<gateway>), node.metadata.GATEWAY_NAME and NAMESPACE, or an :authority that is the host name ' +
    'of an existing Gateway',
};

type Claim = Exclude<Identification, { readonly kind: 'nothing-named' }>;

function fromHostNames({ metadata, header }: NodeClaims, clusterDomain: string): Claim | undefined {
  const given: [IdentifiedBy, unknown][] = header.map((value) => ['x-alt-xds-hostname', value]);
  if (metadata !== undefined && Object.hasOwn(metadata, 'alt_xds_hostname')) {
    given.unshift(['metadata.alt_xds_hostname', metadata['alt_xds_hostname']]);
  }
  let found: Claim | undefined;
  for (const [by, value] of given) {
    if (value === '') continue;
    const next = claim(by, value, (text) => readHostName(text, clusterDomain));
    if (next.kind === 'refused') return next;
    if (found?.kind === 'gateway' && found.gateway !== next.gateway) {
      return refused(`${found.by} names Gateway ${found.gateway} and ${by} names ${next.gateway}; they must agree`);
    }
    found ??= next;
  }
  return found;
}

function fromRole({ metadata }: NodeClaims): Claim | undefined {
  const role = memberOf(metadata, 'role');
  if (role === undefined) return undefined;
  // agentgateway takes the namespace in its role from its environment alone, and GATEWAY_NAME from its file too.
  const name = memberOf(metadata, 'GATEWAY_NAME');
  if (name !== undefined && role === `~${name}`) return undefined;
  return claim('metadata.role', role, readRole);
}

function fromGatewayName({ metadata }: NodeClaims): Claim | undefined {
  const name = memberOf(metadata, 'GATEWAY_NAME');
  if (name === undefined) return undefined;
  const namespace = memberOf(metadata, 'NAMESPACE');
  const what = 'the pair of metadata.NAMESPACE and metadata.GATEWAY_NAME';
  return claim('metadata.GATEWAY_NAME', name, (text) =>
    typeof namespace === 'string'
      ? readGateway(namespace, text, () => what)
      : illFormed('metadata.NAMESPACE is missing, or is not a string'),
  );
}

/** A member of the metadata; undefined for an absent or empty one. */
function memberOf(metadata: NodeClaims['metadata'], key: string): unknown {
  const value = metadata !== undefined && Object.hasOwn(metadata, key) ? metadata[key] : undefined;
  return value === '' ? undefined : value;
}

function fromAuthority({ authority = '' }: NodeClaims, rules: IdentifyRules): Identification | undefined {
  if (rules.authenticated) return undefined;
  // Every stream has an authority, and most are an address: only one that names an existing Gateway is a claim.
  const reading = readAuthority(authority, rules.clusterDomain);
  if (reading.kind === 'ill-formed' || !rules.exists(reading.gateway)) return undefined;
  return { kind: 'gateway', gateway: reading.gateway, by: ':authority' };
}

function claim(by: IdentifiedBy, value: unknown, read: (text: string) => Reading): Claim {
  if (typeof value !== 'string') return refused(`${by} is not a string`);
  const reading = read(value);
  return reading.kind === 'gateway' ? { ...reading, by } : refused(`${by}: ${reading.problem}`);
}

function refused(message: string): Claim {
  return { kind: 'refused', code: 'INVALID_ARGUMENT', message };
}

/** The Gateway that a host name or a role names, or the error of one that is malformed. */
type Reading =
  | { readonly kind: 'gateway'; readonly gateway: string }
  | { readonly kind: 'ill-formed'; readonly problem: string };

/**
 * Reads `<gateway>.<namespace>[.svc[.<cluster domain>]]`, in any letter case, with or without a trailing dot. The last
 * label is the namespace; all before it is the Gateway's name, which may contain dots.
 */
export function readHostName(text: string, clusterDomain: string): Reading {
  const host = withoutEnd(text.toLowerCase(), '.');
  const name = withoutService(host, clusterDomain.toLowerCase());
  if (name.includes('.svc.')) {
    return illFormed(`the host name ${quoted(text)} is not of the form <gateway>.<namespace>.svc.${clusterDomain}`);
  }
  const dot = name.lastIndexOf('.');
  if (dot === -1) return illFormed(`the host name ${quoted(text)} has no namespace: <gateway>.<namespace> is expected`);
  return readGateway(name.slice(dot + 1), name.slice(0, dot), () => `the host name ${quoted(text)}`);
}

/** Reads an `:authority`: a host name that may end with a port. */
export function readAuthority(text: string, clusterDomain: string): Reading {
  return readHostName(text.replace(/:\d{1,5}$/, ''), clusterDomain);
}

/** Reads `[<prefix>~]<namespace>~<gateway>`. The prefix names the kind of proxy and is ignored. */
export function readRole(text: string): Reading {
  const parts = text.split('~');
  const [gateway = '', namespace = '', prefix] = parts.toReversed();
  if (parts.length < 2 || parts.length > 3 || prefix === '') {
    return illFormed(`the role ${quoted(text)} is not of the form [<prefix>~]<namespace>~<gateway>`);
  }
  return readGateway(namespace, gateway, () => `the role ${quoted(text)}`);
}

/** Removes `.svc.<cluster domain>`, else `.svc`, where a Gateway and a namespace remain. */
function withoutService(host: string, clusterDomain: string): string {
  for (const suffix of [`.svc.${clusterDomain}`, '.svc']) {
    const rest = withoutEnd(host, suffix);
    if (rest !== host && rest.includes('.')) return rest;
  }
  return host;
}

function readGateway(namespace: string, name: string, what: () => string): Reading {
  if (namespace.length > 63 || !label.test(namespace)) {
    return illFormed(`${what()} has a namespace that is no DNS-1123 label: ${quoted(namespace)}`);
  }
  if (name.length > 253 || !name.split('.').every((part) => label.test(part))) {
    return illFormed(`${what()} has a Gateway name that is no DNS-1123 subdomain: ${quoted(name)}`);
  }
  // A stream keeps it, and both are parts of a text that may have the length of a whole request.
  return { kind: 'gateway', gateway: detached(`${namespace}/${name}`) };
}

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

function withoutEnd(text: string, end: string): string {
  return text.endsWith(end) ? text.slice(0, -end.length) : text;
}

function illFormed(problem: string): Reading {
  return { kind: 'ill-formed', problem };
}

/** Bytes of a `Node` that are kept for client status (CSDS). */
const maxNodeInfo = 16 * 1024;

/**
 * Returns the `Node` of a first request to keep for client status: whole up to 16 KiB, else only its id, at most 256
 * characters of it.
 *
 * @param bytes the size of the request
 */
export function keptNodeInfo(node: Node | undefined, bytes: number): Node {
  if (node === undefined) return Node.create();
  // The node of a request of this size is not larger, and need not be encoded again.
  return bytes <= maxNodeInfo || Node.encode(node).finish().length <= maxNodeInfo
    ? node
    : Node.create({ id: bounded(node.id, 256) });
}
