import type { Collection, Context, Derived, Graph } from '../graph/model.ts';
import { deriveCrowded, nextPowerOfTwo, type RoomClaim } from './fair-room.ts';
import type { UnresolvedGateway } from './gateway/allowed-namespaces.ts';
import type { Inputs } from './inputs.ts';
import type { JwtProvider, KeyNotice, TranslationRoom } from './model.ts';
import {
  firstClaim,
  type GatewayJwt,
  type JwtClaim,
  jwtClaim,
  keyBytes,
  keyNotice,
  keyUris,
  policyJwt,
  withoutKeys,
} from './policy/jwt.ts';
import type { PolicyResult } from './policy/policy.ts';

/** Who may sign tokens at each Gateway. */
export interface Signers {
  readonly jwtClaims: Derived<JwtClaim>;
  readonly policyJwts: Derived<GatewayJwt>;
  /** The name of the policy whose `spec.jwt` counts, by Gateway. */
  readonly jwtOwners: Derived<string>;
  readonly gatewayJwts: Derived<GatewayJwt>;
  readonly jwtProviders: Derived<readonly JwtProvider[]>;
  readonly jwksUris: Collection<string>;
  readonly keyNotices: Derived<KeyNotice>;
}

/**
 * Finds the one policy of each Gateway that says who may sign tokens, and joins it with the keys that were fetched. A
 * policy without `spec.jwt` has no part in this, and a Gateway without such a policy neither.
 */
export function translateSigners(
  graph: Graph,
  { fetchedKeys }: Inputs,
  policyResults: Derived<PolicyResult>,
  { unresolvedGateways }: { readonly unresolvedGateways: Derived<UnresolvedGateway> },
  room: TranslationRoom,
): Signers {
  const jwtClaims = graph.derive(policyResults, jwtClaim, { name: 'jwt-claims' });
  const claimsByGateway = graph.index(jwtClaims, ({ gateways }) => gateways, { name: 'jwt-claims-by-gateway' });
  const claimedGateways = graph.indexValues(claimsByGateway, { name: 'jwt-gateways' });
  const firstClaims = graph.derive(
    claimedGateways,
    (gateway, context) => firstClaim(context.by(claimsByGateway, gateway)),
    { name: 'first-jwt-claims' },
  );
  const servedClaims = graph.derive(
    firstClaims,
    (claim, context, gateway) => (context.get(unresolvedGateways, gateway)?.kind === 'served' ? claim : undefined),
    { name: 'served-jwt-claims' },
  );
  const policyJwts = graph.derive(jwtClaims, (claim, context) => policyJwt(claim, context, fetchedKeys), {
    name: 'policy-jwts',
  });
  const gatewayJwts = deriveGatewayJwts(graph, servedClaims, policyJwts, room.keyBytes);
  const urisOfGateways = graph.index(
    servedClaims,
    (claim) => keyUris(claim).map((uri) => `${claim.namespace} ${uri}`),
    { name: 'gateways-by-jwks-uri' },
  );
  return {
    jwtClaims,
    policyJwts,
    jwtOwners: graph.derive(firstClaims, ({ name }) => name, { name: 'jwt-owners' }),
    gatewayJwts,
    jwtProviders: graph.derive(gatewayJwts, ({ providers }) => providers, { name: 'jwt-providers' }),
    jwksUris: graph.indexValues(urisOfGateways, { name: 'jwks-uris' }),
    keyNotices: graph.derive(jwtClaims, (claim, context) => keyNotice(claim, context, fetchedKeys), {
      name: 'key-notices',
    }),
  };
}

/**
 * Bytes of keys that all Gateways are sent together: each gets those of its policy, which take as many bytes again for each
 * Gateway once they are encoded. Issuers publish a few kilobytes.
 */
export const maxKeyBytes: number = 16 * 1024 * 1024;

/** Adds who may sign at each Gateway to a graph. */
function deriveGatewayJwts(
  graph: Graph,
  servedClaims: Derived<JwtClaim>,
  policyJwts: Derived<GatewayJwt>,
  limit: number,
): Derived<GatewayJwt> {
  const jwtOf = ({ namespace, name }: JwtClaim, context: Context): GatewayJwt => {
    const jwt = context.get(policyJwts, `${namespace}/${name}`);
    if (jwt === undefined) throw new Error('the signers of its policy could not be found');
    return jwt;
  };
  const claims = graph.derive(
    servedClaims,
    (claim, context, gateway): RoomClaim => ({
      owner: claim.namespace,
      item: gateway,
      size: nextPowerOfTwo(keyBytes(jwtOf(claim, context))),
    }),
    { name: 'key-claims' },
  );
  const crowded = deriveCrowded(graph, claims, { limit, of: 'keys' });
  return graph.derive(
    servedClaims,
    (claim, context, gateway) => {
      const jwt = jwtOf(claim, context);
      return context.get(crowded, gateway) === undefined ? jwt : withoutKeys(jwt);
    },
    { name: 'gateway-jwts' },
  );
}
