import { isDeepStrictEqual } from 'node:util';
import type { DeltaDiscoveryResponse, Resource } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { reasonOf } from '../errors.ts';
import type { ResourceReader } from './resource-kinds.ts';

/** What one response did. */
export interface Applied {
  /** The names of what was added, replaced by something else, or removed. */
  readonly changed: readonly string[];
  /** What was refused, each as `<name>: <reason>`. */
  readonly refused: readonly string[];
}

/** The resources of one kind that are in force. Outlives every stream. */
export interface ResourceStore<Message> {
  /** By resource name; always the state of now. */
  readonly held: ReadonlyMap<string, Message>;
  /** The version of each held resource, for a control plane that is met again. */
  readonly versions: ReadonlyMap<string, string>;
  /** First everything in the response that can be read, then everything it removes; one bad resource stops no other. */
  apply(response: DeltaDiscoveryResponse): Applied;
}

export function createResourceStore<Message>(reader: ResourceReader<Message>): ResourceStore<Message> {
  const held = new Map<string, Message>();
  const versions = new Map<string, string>();
  const drop = (name: string): boolean => {
    versions.delete(name);
    return held.delete(name);
  };

  return {
    held,
    versions,
    apply({ resources, removedResources, removedResourceNames }) {
      const changed = new Set<string>();
      const refused: string[] = [];
      for (const resource of resources) {
        const name = resource.name || resource.resourceName?.name || '';
        try {
          const message = readResource(reader, name, resource);
          if (!isDeepStrictEqual(message, held.get(name))) changed.add(name);
          held.set(name, message);
          versions.set(name, resource.version);
        } catch (error) {
          refused.push(`${name || '(no name)'}: ${reasonOf(error)}`);
          if (reader.whenRefused === 'drop' && drop(name)) changed.add(name);
        }
      }
      for (const name of [...removedResources, ...removedResourceNames.map((removed) => removed.name)]) {
        if (drop(name)) changed.add(name);
      }
      return { changed: [...changed], refused };
    },
  };
}

function readResource<Message>(reader: ResourceReader<Message>, name: string, { resource }: Resource): Message {
  if (name === '') throw new Error('a resource needs a name');
  if (resource === undefined) throw new Error('it has no content');
  if (resource.typeUrl !== reader.typeUrl) throw new Error(`its content is ${JSON.stringify(resource.typeUrl)}`);
  return reader.read(name, resource.value);
}
