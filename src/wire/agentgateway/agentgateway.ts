import {
  encodeListedTarget,
  encodeMcpBackend,
  encodeTargetBackend,
  namespaceOfBackend,
  namespacesOf,
  sameListedTarget,
  scopeKey,
} from './backends.ts';
import { allowList } from './cel.ts';
import { encodeGateway, gatewayName } from './gateway.ts';
import { encodeAllowList, encodePolicy } from './policies.ts';
import { resourceType } from './types.ts';
import { addressType } from './workload.ts';

/**
 * The dialect of agentgateway 1.x (`docs/wire.md`). That data plane allows everything where it has no rule, so each
 * Gateway and each list of targets has a rule that allows nothing, and no function here makes one without it.
 */
export const agentgateway: {
  readonly resourceType: typeof resourceType;
  readonly addressType: typeof addressType;
  readonly encodeTargetBackend: typeof encodeTargetBackend;
  readonly namespaceOfBackend: typeof namespaceOfBackend;
  readonly encodeListedTarget: typeof encodeListedTarget;
  readonly sameListedTarget: typeof sameListedTarget;
  readonly encodeMcpBackend: typeof encodeMcpBackend;
  readonly scopeKey: typeof scopeKey;
  readonly namespacesOf: typeof namespacesOf;
  readonly encodeGateway: typeof encodeGateway;
  readonly gatewayName: typeof gatewayName;
  readonly allowList: typeof allowList;
  readonly encodeAllowList: typeof encodeAllowList;
  readonly encodePolicy: typeof encodePolicy;
} = {
  resourceType,
  addressType,
  encodeTargetBackend,
  namespaceOfBackend,
  encodeListedTarget,
  sameListedTarget,
  encodeMcpBackend,
  scopeKey,
  namespacesOf,
  encodeGateway,
  gatewayName,
  allowList,
  encodeAllowList,
  encodePolicy,
};
