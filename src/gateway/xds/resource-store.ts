import { isDeepStrictEqual } from 'node:util';
import type { DeltaDiscoveryResponse, Resource } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { quoted, shortened } from '../../json/quoted.ts';
import { reasonOf } from '../errors.ts';
import type { ResourceDecoder } from './resource-kinds.ts';

/** The result of applying one response. */
interface ApplyResult {
  /** The names of the resources that were added, changed or removed. */
  readonly changed: readonly string[];
  /** The rejected resources, each as `<name>: <reason>`. */
  readonly rejected: readonly string[];
}

/** The resources of one kind that are in force. Outlives every stream. */
export interface ResourceStore<Message> {
  /** By resource name. A live view. */
  readonly resources: ReadonlyMap<string, Message>;
  /** The version of each resource, for `initial_resource_versions` on the next stream. A live view. */
  readonly versions: ReadonlyMap<string, string>;
  /** Applies the resources of a response, then its removals. A rejected resource does not affect the others. */
  apply(response: DeltaDiscoveryResponse): ApplyResult;
}

/** Creates an empty store. */
export function createResourceStore<Message>(decoder: ResourceDecoder<Message>): ResourceStore<Message> {
  const resources = new Map<string, Message>();
  const versions = new Map<string, string>();
  const remove = (name: string): boolean => {
    versions.delete(name);
    return resources.delete(name);
  };

  return {
    resources,
    versions,
    apply(response) {
      const changed = new Set<string>();
      const rejected: string[] = [];
      for (const resource of response.resources) {
        const name = resource.name || resource.resourceName?.name || '';
        try {
          const message = decodeResource(decoder, name, resource);
          if (!isDeepStrictEqual(message, resources.get(name))) changed.add(name);
          resources.set(name, message);
          versions.set(name, resource.version);
        } catch (error) {
          rejected.push(`${shortened(name) || '(no name)'}: ${reasonOf(error)}`);
          if (decoder.onRejected === 'drop' && remove(name)) changed.add(name);
        }
      }
      const { removedResources, removedResourceNames } = response;
      for (const name of [...removedResources, ...removedResourceNames.map((removed) => removed.name)]) {
        if (remove(name)) changed.add(name);
      }
      return { changed: [...changed], rejected };
    },
  };
}

function decodeResource<Message>(decoder: ResourceDecoder<Message>, name: string, { resource }: Resource): Message {
  if (name === '') throw new Error('a resource needs a name');
  if (resource === undefined) throw new Error('it has no content');
  if (resource.typeUrl !== decoder.typeUrl) throw new Error(`its content is ${quoted(resource.typeUrl)}`);
  return decoder.decode(name, resource.value);
}
