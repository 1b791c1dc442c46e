import { isDeepStrictEqual } from 'node:util';
import type { DeltaDiscoveryResponse, Resource } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { quoted, shortened } from '../../json/quoted.ts';
import { reasonOf } from '../../net/errors.ts';
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
  /** Whether all that is in force was restored: nothing was received yet. */
  isRestored(): boolean;
  /** Returns whether a response may take something away that is in force, or replace it. */
  mayNarrow(response: DeltaDiscoveryResponse): boolean;
  /**
   * Applies the resources of a response, then its removals. A rejected resource does not affect the others. The first
   * response after {@link restore} replaces everything: it is the answer to a request that named no versions.
   */
  apply(response: DeltaDiscoveryResponse): ApplyResult;
  /** Puts resources in force that an earlier process had received. Without versions: no control plane has said them. */
  restore(messages: ReadonlyMap<string, Message>): void;
  /** Removes what was restored, unless a response has replaced it. Returns the names. */
  dropRestored(): readonly string[];
}

/**
 * Creates an empty store.
 *
 * @param changing called before each change
 */
export function createResourceStore<Message>(
  decoder: ResourceDecoder<Message>,
  changing: () => void = () => {},
): ResourceStore<Message> {
  const resources = new Map<string, Message>();
  const versions = new Map<string, string>();
  let restored = false;
  const remove = (name: string): boolean => {
    versions.delete(name);
    return resources.delete(name);
  };

  return {
    resources,
    versions,
    isRestored: () => restored,
    mayNarrow: (response) =>
      restored || removalsIn(response).length > 0 || response.resources.some((sent) => resources.has(nameOf(sent))),
    apply(response) {
      changing();
      const changed = new Set<string>();
      const rejected: string[] = [];
      const accepted = new Set<string>();
      for (const resource of response.resources) {
        const name = nameOf(resource);
        try {
          const message = decodeResource(decoder, name, resource);
          if (!isDeepStrictEqual(message, resources.get(name))) changed.add(name);
          resources.set(name, message);
          versions.set(name, resource.version);
          accepted.add(name);
        } catch (error) {
          rejected.push(`${shortened(name) || '(no name)'}: ${reasonOf(error)}`);
          if (decoder.onRejected === 'drop' && remove(name)) changed.add(name);
        }
      }
      const gone = restored ? [...resources.keys()].filter((name) => !accepted.has(name)) : [];
      restored = false;
      for (const name of [...removalsIn(response), ...gone]) {
        if (remove(name)) changed.add(name);
      }
      return { changed: [...changed], rejected };
    },
    restore(messages) {
      changing();
      for (const [name, message] of messages) resources.set(name, message);
      restored = true;
    },
    dropRestored() {
      if (!restored) return [];
      changing();
      const names = [...resources.keys()];
      resources.clear();
      restored = false;
      return names;
    },
  };
}

function nameOf(resource: Resource): string {
  return resource.name || resource.resourceName?.name || '';
}

function removalsIn({ removedResources, removedResourceNames }: DeltaDiscoveryResponse): readonly string[] {
  return [...removedResources, ...removedResourceNames.map(({ name }) => name)];
}

function decodeResource<Message>(decoder: ResourceDecoder<Message>, name: string, { resource }: Resource): Message {
  if (name === '') throw new Error('a resource needs a name');
  if (resource === undefined) throw new Error('it has no content');
  if (resource.typeUrl !== decoder.typeUrl) throw new Error(`its content is ${quoted(resource.typeUrl)}`);
  return decoder.decode(name, resource.value);
}
