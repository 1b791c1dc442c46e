import { Config, Resource_Type, Rule_Matcher } from '../../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { configType, targetType } from './hand-made-world.ts';

/** The resources that a gateway holds, as text: a URL for each target, a sentence for each rule. */
export interface HeldResources {
  readonly targets: Readonly<Record<string, string>>;
  readonly configs: Readonly<Record<string, readonly string[]>>;
}

/** Held resources with the version of each, which is the hash of its bytes. */
export interface VersionedResources extends HeldResources {
  readonly versions: Readonly<Record<string, string>>;
}

/** One resource as the data plane stores it. */
export interface HeldResource {
  readonly typeUrl: string;
  /** The data plane's key for updates and removals. */
  readonly key: string;
  readonly text: string | readonly string[];
  readonly version: string;
}

const kinds = { [Resource_Type.TOOL]: 'tool', [Resource_Type.PROMPT]: 'prompt', [Resource_Type.RESOURCE]: 'resource' };

/**
 * Decodes a resource as the deployed binaries do.
 *
 * @throws for content that crashes them or makes them allow everything: a rule without a resource, of an unknown type
 * or with an unknown matcher; a Config without rules; a target that cannot be called or reached
 */
export function readResource(typeUrl: string, bytes: Uint8Array, version: string): HeldResource {
  if (typeUrl === targetType) {
    const { name, host, port, path } = Target.decode(bytes);
    if (!/^[^:]+$/.test(name)) throw new Error(`a gateway cannot call the tools of ${JSON.stringify(name)}`);
    const url = `http://${host}:${port}${path}`;
    if (!URL.canParse(url) || (path !== '' && !path.startsWith('/'))) throw new Error(`no gateway can reach ${url}`);
    return { typeUrl, key: name, text: `${host}:${port}${path}`, version };
  }
  if (typeUrl !== configType) throw new Error(`a gateway knows no ${typeUrl}`);
  const { namespace, name, rules } = Config.decode(bytes);
  if (rules.length === 0) throw new Error(`a gateway stands open with ${namespace}.${name}, which has no rules`);
  const text = rules.map(({ key, value, resource, matcher }) => {
    const kind = resource && kinds[resource.type as keyof typeof kinds];
    if (resource === undefined || kind === undefined || matcher !== Rule_Matcher.EQUALS || key === '') {
      throw new Error(`a gateway dies of ${namespace}.${name}`);
    }
    return `${kind} ${resource.id} when ${key} is ${value}`;
  });
  return { typeUrl, key: `${namespace}.${name}`, text, version };
}

/** Combines resources, in bytewise order of their keys. */
export function heldResources(resources: Iterable<HeldResource>): VersionedResources {
  const sorted = [...resources].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const targets: Record<string, string> = {};
  const configs: Record<string, readonly string[]> = {};
  const versions: Record<string, string> = {};
  for (const { key, text, version } of sorted) {
    versions[key] = version;
    if (typeof text === 'string') targets[key] = text;
    else configs[key] = text;
  }
  return { targets, configs, versions };
}

export const noResources: VersionedResources = { targets: {}, configs: {}, versions: {} };
