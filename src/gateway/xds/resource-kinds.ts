import { Config, Resource_Type, type Rule, Rule_Matcher } from '../../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { quoted } from '../../json/quoted.ts';
import { targetUrl } from '../network/target-url.ts';
import type { ResourceKind } from './model.ts';
import { findUnknownField, type MessageSchema } from './unknown-fields.ts';

/** The decoding and validation of resources of one kind. */
export interface ResourceDecoder<Message> {
  readonly kind: ResourceKind;
  readonly typeUrl: string;
  /**
   * Decodes a resource and validates every field that the gateway uses.
   *
   * @throws Error with the reason for the NACK
   */
  decode(name: string, bytes: Uint8Array): Message;
  /** Encodes what {@link decode} has returned, so that it decodes to the same. */
  encode(message: Message): Uint8Array;
  /**
   * Decides about the accepted version of a resource when a newer one is rejected (decision 0005). A Target is kept
   * at its last address. A Config is dropped: the newer one may allow less, and keeping the older one would keep a
   * revoked grant.
   */
  readonly onRejected: 'keep' | 'drop';
}

/** Decodes the addresses of MCP servers. */
export const targetDecoder: ResourceDecoder<Target> = {
  kind: 'Target',
  typeUrl: 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target',
  onRejected: 'keep',
  encode: (target) => Target.encode(target).finish(),
  decode(name, bytes) {
    const target = Target.decode(bytes);
    assertName(name, target.name);
    // `<target>:<tool>` is split at the first colon: a colon in the target's name would make it the name of another
    // thing.
    if (target.name.includes(':')) throw new Error('its name contains a colon');
    if (target.port < 1 || target.port > 65535) throw new Error(`port ${target.port} is not between 1 and 65535`);
    if (targetUrl(target) === undefined) throw new Error('its host and path make no URL');
    return target;
  },
};

/** Decodes RBAC rules. */
export const configDecoder: ResourceDecoder<Config> = {
  kind: 'Config',
  typeUrl: 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config',
  onRejected: 'drop',
  encode: (config) => Config.encode(config).finish(),
  decode(name, bytes) {
    const config = Config.decode(bytes);
    const unknown = findUnknownField(bytes, configSchema);
    if (unknown !== undefined)
      throw new Error(`it has a field that is not known here, number ${unknown}, which may narrow it`);
    assertName(name, `${config.namespace}.${config.name}`);
    if (config.rules.length === 0) throw new Error('it has no rules, which other gateways read as allowing everything');
    for (const [index, rule] of config.rules.entries()) {
      const problem = ruleProblem(rule);
      if (problem !== undefined) throw new Error(`rule ${index} ${problem}`);
    }
    return config;
  },
};

const resourceSchema: MessageSchema = new Map<number, 'varint' | 'bytes'>([
  [1, 'bytes'],
  [2, 'varint'],
]);

const ruleSchema: MessageSchema = new Map<number, 'varint' | 'bytes' | MessageSchema>([
  [1, 'bytes'],
  [2, 'bytes'],
  [4, resourceSchema],
  [5, 'varint'],
]);

/** The fields of Config, with those of Rule and Resource in it. */
const configSchema: MessageSchema = new Map<number, 'varint' | 'bytes' | MessageSchema>([
  [1, 'bytes'],
  [2, 'bytes'],
  [3, ruleSchema],
]);

/** A removal names the resource, so a message with another name could never be removed. */
function assertName(resourceName: string, messageName: string): void {
  if (messageName !== resourceName) throw new Error(`it calls itself ${quoted(messageName)}`);
}

const resourceTypes: readonly Resource_Type[] = [Resource_Type.TOOL, Resource_Type.PROMPT, Resource_Type.RESOURCE];

function ruleProblem({ key, value, resource, matcher }: Rule): string | undefined {
  if (resource === undefined) return 'has no resource';
  if (!resourceTypes.includes(resource.type)) return `has the unknown resource type ${resource.type}`;
  if (matcher !== Rule_Matcher.EQUALS) return `has the unknown matcher ${matcher}`;
  if (resource.id === '') return 'has a resource without id';
  if (key === '') return 'has no key';
  return value === '' ? 'has no value' : undefined;
}
