import { Resource_Type, Rule_Matcher, Config as WireConfig } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target as WireTarget } from '../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { PolicyConfig, Rule, Target } from '../translate/model.ts';
import { encoded } from './encoded.ts';
import { encodedResource } from './encoded-resource.ts';
import type { Dialect, EncodedResource } from './model.ts';

const targetTypeUrl = 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target';
const configTypeUrl = 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config';

const resourceTypes = {
  tool: Resource_Type.TOOL,
  prompt: Resource_Type.PROMPT,
  resource: Resource_Type.RESOURCE,
} as const;

/**
 * What the mcp-gateway binaries of spring 2025 speak (`docs/wire.md`). They exit on a rule without a resource or with
 * an unknown enum, and open up on a Config without rules: the types of `translate/model.ts` have no such value.
 *
 * Configs go before Targets: a policy that shrinks bites before the tools that it governs move.
 */
export const mcpKgateway: Dialect = {
  name: 'mcp.kgateway.dev/v1alpha1',
  configType: {
    typeUrl: configTypeUrl,
    fullState: true,
    legacyWildcard: true,
    order: 0,
    nameOf: (message) => configName(WireConfig.decode(message)),
  },
  targetType: {
    typeUrl: targetTypeUrl,
    fullState: true,
    legacyWildcard: true,
    order: 1,
    nameOf: (message) => WireTarget.decode(message).name,
  },
  encodeTarget,
  encodeConfig,
};

function encodeTarget({ name, host, port, path }: Target): EncodedResource {
  const message = encoded((writer) => WireTarget.encode({ name, host, port, path }, writer));
  return encodedResource(targetTypeUrl, name, message);
}

function encodeConfig({ namespace, name, rules }: PolicyConfig): EncodedResource {
  const message = encoded((writer) => WireConfig.encode({ name, namespace, rules: rules.map(wireRule) }, writer));
  return encodedResource(configTypeUrl, configName({ namespace, name }), message);
}

/** Data planes file a Config under `<namespace>.<name>`, and remove it by that name only. */
function configName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}.${name}`;
}

function wireRule({ claim, value, kind, id }: Rule): WireConfig['rules'][number] {
  return { key: claim, value, resource: { id, type: resourceTypes[kind] }, matcher: Rule_Matcher.EQUALS };
}
