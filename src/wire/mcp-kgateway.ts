import { Resource_Type, Rule_Matcher, Config as WireConfig } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target as WireTarget } from '../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { PolicyConfig, Rule, Target } from '../translate/model.ts';
import { encode, encodeResource } from './encoded-resource.ts';
import type { Dialect, EncodedResource } from './model.ts';

const targetTypeUrl = 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target';
const configTypeUrl = 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config';

const resourceTypes = {
  tool: Resource_Type.TOOL,
  prompt: Resource_Type.PROMPT,
  resource: Resource_Type.RESOURCE,
} as const;

/**
 * The dialect of the mcp-gateway binaries of spring 2025 (`docs/wire.md`). They exit on a rule without a resource or
 * with an unknown enum, and allow everything on a Config without rules: the types of `translate/model.ts` exclude both.
 *
 * Configs are pushed before Targets: a narrowed policy takes effect before the Targets that it governs change.
 */
export const mcpKgateway: Dialect = {
  name: 'mcp.kgateway.dev/v1alpha1',
  configType: {
    typeUrl: configTypeUrl,
    dialect: 'mcp.kgateway.dev',
    fullState: true,
    legacyWildcard: true,
    pushOrder: 0,
  },
  targetType: {
    typeUrl: targetTypeUrl,
    dialect: 'mcp.kgateway.dev',
    fullState: true,
    legacyWildcard: true,
    pushOrder: 1,
  },
  encodeTarget,
  encodeConfig,
};

function encodeTarget({ name, host, port, path }: Target): EncodedResource {
  const message = encode((writer) => WireTarget.encode({ name, host, port, path }, writer));
  return encodeResource(targetTypeUrl, name, message);
}

function encodeConfig({ namespace, name, rules }: PolicyConfig): EncodedResource {
  const message = encode((writer) => WireConfig.encode({ name, namespace, rules: rules.map(wireRule) }, writer));
  return encodeResource(configTypeUrl, configName({ namespace, name }), message);
}

/** Returns the resource name of a Config, `<namespace>.<name>`, the only name by which data planes remove it. */
function configName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}.${name}`;
}

function wireRule({ claim, value, kind, id }: Rule): WireConfig['rules'][number] {
  return { key: claim, value, resource: { id, type: resourceTypes[kind] }, matcher: Rule_Matcher.EQUALS };
}
