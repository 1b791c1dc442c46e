import {
  type BackendPolicySpec,
  Policy,
  type TrafficPolicySpec_JWT,
  TrafficPolicySpec_JWT_Mode,
  TrafficPolicySpec_PolicyPhase,
} from '../../gen/agentgateway/dev/resource/resource.ts';
import { jwkSetText } from '../../jwk/public-keys.ts';
import type { JwtProvider } from '../../translate/model.ts';
import { encode, encodeResource } from '../encoded-resource.ts';
import type { EncodedResource } from '../model.ts';
import { type AllowList, allowNothing } from './cel.ts';
import { encodeKind, resourceType, sentinelPrefix } from './types.ts';

/** A Gateway as the names in this dialect spell it. */
export interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

/** Returns the only form of authorization that is sent: an allow list, which is never empty. */
export function authorization(allow: AllowList): BackendPolicySpec {
  return { kind: { $case: 'mcpAuthorization', value: { allow: [...allow], deny: [], require: [] } } };
}

declare const brand: unique symbol;

/** The whole field `backend` of a Policy with an allow list; made by {@link encodeAllowList} only. */
export type EncodedAllowList = Uint8Array & { readonly [brand]: 'EncodedAllowList' };

/** Encodes an allow list, once for all Gateways of a policy: the list may have a megabyte, and a policy 16 Gateways. */
export function encodeAllowList(allow: AllowList): EncodedAllowList {
  const kind = { $case: 'backend', value: authorization(allow) } as const;
  const field = encode((writer) => Policy.encode({ key: '', name: undefined, target: undefined, kind }, writer));
  return field as Uint8Array as EncodedAllowList;
}

/** Number of `Resource.policy`, which is length-delimited. */
const policyTag = (5 << 3) | 2;

/** Encodes a policy for one Gateway. The data plane allows what any policy of the Gateway allows. */
export function encodePolicy(
  gateway: GatewayName,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  allow: EncodedAllowList,
): EncodedResource {
  const key = `${namespace}/${name}:mcp-authorization:${gateway.namespace}/${gateway.name}`;
  const policy = { name, namespace, kind: 'MCPAuthPolicy' };
  const message = encode((writer) => {
    writer.uint32(policyTag).fork();
    Policy.encode({ key, name: policy, target: targetOf(gateway), kind: undefined }, writer);
    writer.raw(allow).join();
  });
  return encodeResource(resourceType.typeUrl, `policy/${key}`, message);
}

/** Encodes the policy that closes a Gateway: it allows nothing, and without any policy everything would be allowed. */
export function encodeSentinel(gateway: GatewayName): EncodedResource {
  const key = `${sentinelPrefix.slice('policy/'.length)}${gateway.namespace}/${gateway.name}`;
  return encodePolicyOf(gateway, key, ofGateway(gateway), { $case: 'backend', value: authorization(allowNothing) });
}

/** Encodes who may sign tokens: without a provider nobody, and every request is answered with 401. */
export function encodeAuthentication(gateway: GatewayName, providers: readonly JwtProvider[]): EncodedResource {
  const key = `jwt:${gateway.namespace}/${gateway.name}`;
  const traffic = {
    phase: TrafficPolicySpec_PolicyPhase.ROUTE,
    kind: { $case: 'jwt', value: jwtOf(providers) },
  } as const;
  return encodePolicyOf(gateway, key, ofGateway(gateway), { $case: 'traffic', value: traffic });
}

function encodePolicyOf(
  gateway: GatewayName,
  key: string,
  policy: NonNullable<Policy['name']>,
  kind: NonNullable<Policy['kind']>,
): EncodedResource {
  return encodeKind('policy', { key, name: policy, target: targetOf(gateway), kind });
}

function targetOf({ namespace, name }: GatewayName): NonNullable<Policy['target']> {
  return { kind: { $case: 'gateway', value: { name, namespace } } };
}

function ofGateway({ namespace, name }: GatewayName): NonNullable<Policy['name']> {
  return { name, namespace, kind: 'Gateway' };
}

function jwtOf(providers: readonly JwtProvider[]): TrafficPolicySpec_JWT {
  return {
    // The default would let requests without a token pass.
    mode: TrafficPolicySpec_JWT_Mode.STRICT,
    // The data plane compares issuer and audience of a token only if it has them as text or a list of texts.
    providers: providers.map(({ issuer, audiences, keys }) => ({
      issuer,
      audiences: [...audiences],
      jwksSource: { $case: 'inline', value: jwkSetText(keys) },
      jwtValidationOptions: { requiredClaims: audiences.length > 0 ? ['aud', 'exp', 'iss'] : ['exp', 'iss'] },
    })),
    mcp: metadataOf(providers),
  };
}

/** Undefined unless there is exactly one provider: the data plane would reject the whole policy. */
function metadataOf([provider, ...others]: readonly JwtProvider[]): TrafficPolicySpec_JWT['mcp'] {
  const metadata = others.length === 0 ? provider?.resourceMetadata : undefined;
  if (metadata === undefined) return undefined;
  const { resource, authorizationServers, scopesSupported } = metadata;
  return {
    resourceMetadata: {
      extra: {
        resource,
        authorizationServers: [...authorizationServers],
        scopesSupported: [...scopesSupported],
      },
    },
  };
}
