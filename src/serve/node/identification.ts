import type { IdentifiedBy } from '../model.ts';
import { type Reading, readAuthority, readHostName, readRole } from './host-name.ts';

/** What a stream says of the node behind it. Nothing in here is trusted. */
export interface NodeClaims {
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** Every value of the request header `x-alt-xds-hostname`. */
  readonly header: readonly string[];
  readonly authority: string | undefined;
}

/** Who the connection was proven to be. It bounds what the claims may name. */
export interface VerifiedIdentity {
  readonly name: string;
  mayBe(gateway: string): boolean;
}

export interface IdentifyRules {
  readonly clusterDomain: string;
  /** Whether a Gateway object of that name exists, whosever it is. */
  readonly exists: (gateway: string) => boolean;
  /** Given when the server authenticates connections; then an `:authority` proves nothing and is not read. */
  readonly verified?: VerifiedIdentity;
}

export type Identification =
  | { readonly kind: 'gateway'; readonly gateway: string; readonly by: IdentifiedBy }
  | { readonly kind: 'refused'; readonly code: 'INVALID_ARGUMENT' | 'PERMISSION_DENIED'; readonly message: string };

/**
 * Finds the Gateway of a node. The first way that is present decides; an ill-formed one is an error and never a reason
 * to try the next.
 */
export function identify(claims: NodeClaims, rules: IdentifyRules): Identification {
  const claimed =
    fromHostNames(claims, rules.clusterDomain) ?? fromRole(claims) ?? fromAuthority(claims, rules) ?? nothingNamed;
  if (claimed.kind === 'refused' || rules.verified === undefined || rules.verified.mayBe(claimed.gateway))
    return claimed;
  return {
    kind: 'refused',
    code: 'PERMISSION_DENIED',
    message: `${rules.verified.name} may not be a node of Gateway ${claimed.gateway}`,
  };
}

const nothingNamed = refused(
  'the node does not name its Gateway; name it in one of four ways: node.metadata.alt_xds_hostname or the request ' +
    'header x-alt-xds-hostname (<gateway>.<namespace>[.svc[.<cluster domain>]]), node.metadata.role ' +
    '([<prefix>~]<namespace>~<gateway>), or an :authority that is the host name of an existing Gateway',
);

function fromHostNames({ metadata, header }: NodeClaims, clusterDomain: string): Identification | undefined {
  const given: [IdentifiedBy, unknown][] = header.map((value) => ['x-alt-xds-hostname', value]);
  if (metadata !== undefined && Object.hasOwn(metadata, 'alt_xds_hostname')) {
    given.unshift(['metadata.alt_xds_hostname', metadata['alt_xds_hostname']]);
  }
  let found: Identification | undefined;
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

function fromRole({ metadata }: NodeClaims): Identification | undefined {
  if (metadata === undefined || !Object.hasOwn(metadata, 'role') || metadata['role'] === '') return undefined;
  return claim('metadata.role', metadata['role'], readRole);
}

function fromAuthority({ authority = '' }: NodeClaims, rules: IdentifyRules): Identification | undefined {
  if (rules.verified !== undefined) return undefined;
  // Every connection has an authority, and most are an address: only one that names a Gateway is a claim at all.
  const reading = readAuthority(authority, rules.clusterDomain);
  if (reading.kind === 'ill-formed' || !rules.exists(reading.gateway)) return undefined;
  return { kind: 'gateway', gateway: reading.gateway, by: ':authority' };
}

function claim(by: IdentifiedBy, value: unknown, read: (text: string) => Reading): Identification {
  if (typeof value !== 'string') return refused(`${by} is not a string`);
  const reading = read(value);
  return reading.kind === 'gateway' ? { ...reading, by } : refused(`${by}: ${reading.problem}`);
}

function refused(message: string): Identification {
  return { kind: 'refused', code: 'INVALID_ARGUMENT', message };
}
