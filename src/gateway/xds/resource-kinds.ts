import { Config, Resource_Type, type Rule, Rule_Matcher } from '../../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { targetUrl } from '../network/target-url.ts';
import type { ResourceKind } from './model.ts';
import { type Shape, unknownField } from './unknown-fields.ts';

/** How resources of one kind are read. */
export interface ResourceReader<Message> {
  readonly kind: ResourceKind;
  readonly typeUrl: string;
  /**
   * Reads a resource and checks everything that the gateway will rely on.
   *
   * @throws Error saying why it is refused
   */
  read(name: string, bytes: Uint8Array): Message;
  /**
   * What becomes of the version that is held when a newer one is refused. A Target stays where it last was. A Config goes:
   * the newer one may have narrowed it, and keeping the older would keep a grant that was just taken away.
   */
  readonly whenRefused: 'keep' | 'drop';
}

/** Where an MCP server is. */
export const targetReader: ResourceReader<Target> = {
  kind: 'Target',
  typeUrl: 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target',
  whenRefused: 'keep',
  read(name, bytes) {
    const target = Target.decode(bytes);
    sameName(name, target.name);
    // A tool is called `<target>:<tool>` and split at the first colon: with another colon it would pass for something else.
    if (target.name.includes(':')) throw new Error('its name contains a colon');
    if (target.port < 1 || target.port > 65535) throw new Error(`port ${target.port} is not between 1 and 65535`);
    if (targetUrl(target) === undefined) throw new Error('its host and path make no URL');
    return target;
  },
};

/** What callers may do. */
export const configReader: ResourceReader<Config> = {
  kind: 'Config',
  typeUrl: 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config',
  whenRefused: 'drop',
  read(name, bytes) {
    const config = Config.decode(bytes);
    const unknown = unknownField(bytes, configShape);
    if (unknown !== undefined)
      throw new Error(`it has a field that is not known here, number ${unknown}, which may narrow it`);
    sameName(name, `${config.namespace}.${config.name}`);
    if (config.rules.length === 0) throw new Error('it has no rules, which other gateways read as allowing everything');
    for (const [index, rule] of config.rules.entries()) {
      const wrong = wrongIn(rule);
      if (wrong !== undefined) throw new Error(`rule ${index} ${wrong}`);
    }
    return config;
  },
};

/** The fields of Config, with those of Rule and Resource inside. */
const configShape: Shape = new Map<number, 'varint' | 'bytes' | Shape>([
  [1, 'bytes'],
  [2, 'bytes'],
  [
    3,
    new Map<number, 'varint' | 'bytes' | Shape>([
      [1, 'bytes'],
      [2, 'bytes'],
      [
        4,
        new Map([
          [1, 'bytes'],
          [2, 'varint'],
        ]),
      ],
      [5, 'varint'],
    ]),
  ],
]);

/** What is removed is removed by the resource's name, so a message that goes by another could never be taken back. */
function sameName(resource: string, message: string): void {
  if (message !== resource) throw new Error(`it calls itself ${JSON.stringify(message)}`);
}

const types: readonly Resource_Type[] = [Resource_Type.TOOL, Resource_Type.PROMPT, Resource_Type.RESOURCE];

function wrongIn({ key, value, resource, matcher }: Rule): string | undefined {
  if (resource === undefined) return 'has no resource';
  if (!types.includes(resource.type)) return `has the unknown resource type ${resource.type}`;
  if (matcher !== Rule_Matcher.EQUALS) return `has the unknown matcher ${matcher}`;
  if (resource.id === '') return 'has a resource without id';
  if (key === '') return 'has no key';
  return value === '' ? 'has no value' : undefined;
}
