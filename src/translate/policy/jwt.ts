import type { Collection, Context } from '../../graph/model.ts';
import { quoted } from '../../json/quoted.ts';
import type { FetchedKeys, JwksSource, Parsed, PolicyJwt, PublicKey } from '../../resources/model.ts';
import type { GatewayKey, JwtProvider, KeyNotice } from '../model.ts';
import type { PolicyResult } from './policy.ts';

/** What a policy says about signers, and of which Gateways. */
export interface JwtClaim {
  readonly namespace: string;
  readonly name: string;
  readonly created: string | undefined;
  /** Sorted, without duplicates. */
  readonly gateways: readonly GatewayKey[];
  /** An invalid one claims its Gateways too: otherwise a mistake in it would put another policy's signers in force. */
  readonly jwt: Parsed<PolicyJwt>;
}

/** The claim of a policy with `spec.jwt`. */
export function jwtClaim({ namespace, name, created, gateways, jwt }: PolicyResult): JwtClaim | undefined {
  return jwt === undefined ? undefined : { namespace, name, created, gateways, jwt };
}

/**
 * The claim that counts at a Gateway: the oldest one, and of equally old ones the first by name. In files there is no age.
 * The policies that claim one Gateway are of one namespace.
 */
export function firstClaim(claims: readonly JwtClaim[]): JwtClaim | undefined {
  return claims.toSorted(compareClaims)[0];
}

function compareClaims(a: JwtClaim, b: JwtClaim): number {
  const [older, younger] = [a.created ?? noTime, b.created ?? noTime];
  if (older !== younger) return older < younger ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** Sorts after every time. */
const noTime = '~';

/** The signers of a policy, which all its Gateways share, and what is wrong with them. */
export interface GatewayJwt {
  /** The name of the policy. */
  readonly policy: string;
  readonly providers: readonly JwtProvider[];
  /** The reasons why other parts of `spec.jwt` are left out, each names its field; bounded in number. */
  readonly dropped: readonly string[];
  /** The URIs that did not answer yet. */
  readonly awaited: readonly string[];
}

/** Reasons that are kept, one of them for those that are not: providers may have hundreds of keys that count for nothing. */
const mostDropped = 20;

/** Bytes of the keys of a policy, as each of its Gateways is sent them. */
export function keyBytes({ providers }: GatewayJwt): number {
  return providers.flatMap(({ keys }) => keys).reduce((sum, { json }) => sum + json.length, 0);
}

/** What is left of the signers of a Gateway whose keys have no room: nobody may sign. */
export function withoutKeys(jwt: GatewayJwt): GatewayJwt {
  return { ...jwt, providers: [], dropped: [noRoomForKeys, ...jwt.dropped.slice(1 - mostDropped)] };
}

const noRoomForKeys =
  'The keys in spec.jwt have no room beside those of other Gateways, and the Gateways of a namespace that have most give way: list fewer keys.';

/** Joins the claim of a policy with the keys that were fetched. */
export function policyJwt({ name, jwt }: JwtClaim, context: Context, fetched: Collection<FetchedKeys>): GatewayJwt {
  if (!jwt.ok) return { policy: name, providers: [], dropped: [jwt.reason], awaited: [] };
  const metadata = jwt.value.resourceMetadata;
  const providers: JwtProvider[] = [];
  const dropped: string[] = [];
  const awaited: string[] = [];
  /** The field of the first provider with a key of this id: gateways look a key up by its id alone. */
  const fieldOfId = new Map<string, string>();
  for (const [position, provider] of jwt.value.providers.entries()) {
    if (!provider.ok) {
      dropped.push(provider.reason);
      continue;
    }
    const { issuer, audiences, jwks } = provider.value;
    const field = `spec.jwt.providers[${position}]`;
    const found = findKeys(jwks, `${field}.jwks`, context, fetched);
    if (found === undefined) {
      if (jwks.kind === 'uri') awaited.push(jwks.uri);
      continue;
    }
    dropped.push(...found.dropped);
    const isOther = ({ kid }: PublicKey): boolean => !fieldOfId.has(kid);
    const keys = found.keys.every(isOther) ? found.keys : found.keys.filter(isOther);
    for (const { kid } of found.keys) {
      const first = fieldOfId.get(kid);
      if (first === undefined) fieldOfId.set(kid, field);
      else dropped.push(`${field}.jwks has the key ${quoted(kid)}, whose id ${first} has too: only the first counts.`);
    }
    if (keys.length === 0) dropped.push(`${field} has no usable key, so that no token of its issuer is accepted.`);
    else
      providers.push({
        issuer,
        audiences,
        keys,
        ...(metadata?.ok && { resourceMetadata: metadata.value }),
      });
  }
  if (metadata?.ok === false) dropped.push(metadata.reason);
  return { policy: name, providers, dropped: bounded(dropped), awaited };
}

function bounded(dropped: readonly string[]): readonly string[] {
  if (dropped.length <= mostDropped) return dropped;
  const kept = dropped.slice(0, mostDropped - 1);
  return [...kept, `And ${dropped.length - kept.length} further parts of spec.jwt are left out.`];
}

interface FoundKeys {
  readonly keys: readonly PublicKey[];
  readonly dropped: readonly string[];
}

/** Undefined: not fetched yet. */
function findKeys(
  jwks: JwksSource,
  field: string,
  context: Context,
  fetched: Collection<FetchedKeys>,
): FoundKeys | undefined {
  if (jwks.kind === 'inline') return jwks;
  const answer = context.get(fetched, jwks.uri);
  if (answer === undefined) return undefined;
  if (answer.kind === 'failed') return { keys: [], dropped: [`${field}.uri ${answer.failure}.`] };
  return {
    keys: answer.keys,
    dropped: answer.dropped.map((key) => `${field}.uri answered with ${key}; it is left out.`),
  };
}

/** The URIs of the keys of a claim. */
export function keyUris({ jwt }: JwtClaim): readonly string[] {
  if (!jwt.ok) return [];
  return jwt.value.providers.flatMap((provider) =>
    provider.ok && provider.value.jwks.kind === 'uri' ? [provider.value.jwks.uri] : [],
  );
}

/** The notice about keys of a policy that cannot be fetched now. */
export function keyNotice(
  { namespace, name, jwt }: JwtClaim,
  context: Context,
  fetched: Collection<FetchedKeys>,
): KeyNotice | undefined {
  if (!jwt.ok) return undefined;
  const failures = jwt.value.providers.flatMap((provider, position) => {
    if (!provider.ok || provider.value.jwks.kind !== 'uri') return [];
    const answer = context.get(fetched, provider.value.jwks.uri);
    if (answer?.failure === undefined) return [];
    const effect = answer.kind === 'keys' ? 'the last good keys stay in use' : 'no token of its issuer is accepted';
    return [`spec.jwt.providers[${position}].jwks.uri ${answer.failure}; ${effect}.`];
  });
  return failures.length === 0 ? undefined : { namespace, name, failures };
}
