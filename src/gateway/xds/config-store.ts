import { indexRules } from '../../authz/authz.ts';
import type { RuleIndex } from '../../authz/model.ts';
import type { Logger } from '../../edges.ts';
import type { DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { quoted } from '../../json/quoted.ts';
import { reasonOf } from '../../net/errors.ts';
import type { ConfigChange, GatewayConfig } from '../model.ts';
import type { KindStatus, ResourceKind } from './model.ts';
import { configDecoder, type ResourceDecoder, targetDecoder } from './resource-kinds.ts';
import { createResourceStore, type ResourceStore } from './resource-store.ts';

/** The wildcard subscription to one kind of resource. */
export interface Subscription {
  readonly kind: ResourceKind;
  readonly typeUrl: string;
  /** The versions to send as `initial_resource_versions` on a new stream. */
  readonly versions: ReadonlyMap<string, string>;
  /** Applies a response. Returns `undefined` for an ACK, or the error message of the NACK. */
  apply(response: DeltaDiscoveryResponse): string | undefined;
  status(): KindStatus;
}

/** The resources of all kinds, encoded, by kind and name. */
export type EncodedResources = Readonly<Record<ResourceKind, ReadonlyMap<string, Uint8Array>>>;

/** The resources of all kinds in force at one time; each is encoded when it is called for. */
export type ResourceSnapshot = readonly (readonly [kind: ResourceKind, name: string, encode: () => Uint8Array])[];

/** Follows what responses do to the resources in force. */
export interface ResponseObserver {
  /** Called before a response that may take something away or replace it, and before the first one of each kind. */
  narrowing(): void;
  /** Called after each response. */
  applied(kind: ResourceKind): void;
}

/** The configuration in force, with the subscriptions that update it, in the order of their first requests. */
export interface ConfigStore {
  readonly config: GatewayConfig;
  readonly subscriptions: readonly Subscription[];
  snapshot(): ResourceSnapshot;
  /**
   * Puts the resources of all kinds in force at once. The first response of each kind replaces what is restored of it.
   *
   * @throws Error when one of them is not valid; nothing is restored then
   */
  restore(encoded: EncodedResources): void;
  /** The kinds that were restored, and of which no response has arrived. */
  restoredKinds(): readonly ResourceKind[];
  /** Removes the resources of these kinds. */
  dropRestored(): void;
}

/** Creates an empty configuration. */
export function createConfigStore(log: Logger, observer?: ResponseObserver): ConfigStore {
  let rules: RuleIndex | undefined;
  const targets = createResourceStore(targetDecoder);
  const rbacConfigs = createResourceStore(configDecoder, () => {
    // Before the change, so that nothing that happens during it lets a rule survive its removal.
    rules = undefined;
  });
  const listeners = new Set<(change: ConfigChange) => void>();
  const publish = (change: ConfigChange): void => {
    if (change.targets.length === 0 && change.rbacConfigs.length === 0) return;
    for (const listener of [...listeners]) {
      // The change is in force already: an error of one listener must not affect the others, nor the ACK.
      try {
        listener(change);
      } catch (error) {
        log.error('a change of the configuration could not be followed', { error: reasonOf(error) });
      }
    }
  };
  const parts = { log, observer };

  return {
    config: {
      targets: targets.resources,
      rbacConfigs: rbacConfigs.resources,
      get rules() {
        rules ??= indexRules(rbacConfigs.resources);
        return rules;
      },
      subscribe(listener) {
        const own = (change: ConfigChange): void => listener(change);
        listeners.add(own);
        return () => listeners.delete(own);
      },
    },
    subscriptions: [
      createSubscription(targetDecoder, targets, (names) => publish({ targets: names, rbacConfigs: [] }), parts),
      createSubscription(configDecoder, rbacConfigs, (names) => publish({ targets: [], rbacConfigs: names }), parts),
    ],
    snapshot: () => [...snapshotOf(targetDecoder, targets), ...snapshotOf(configDecoder, rbacConfigs)],
    restore(encoded) {
      const messages = { targets: decodeAll(targetDecoder, encoded), configs: decodeAll(configDecoder, encoded) };
      targets.restore(messages.targets);
      rbacConfigs.restore(messages.configs);
      publish({ targets: [...messages.targets.keys()], rbacConfigs: [...messages.configs.keys()] });
    },
    restoredKinds: () => [
      ...(targets.isRestored() ? (['Target'] as const) : []),
      ...(rbacConfigs.isRestored() ? (['Config'] as const) : []),
    ],
    dropRestored() {
      // Rules first, as a listener is told of both at once anyway.
      const configs = rbacConfigs.dropRestored();
      publish({ targets: targets.dropRestored(), rbacConfigs: configs });
    },
  };
}

function snapshotOf<Message>(decoder: ResourceDecoder<Message>, { resources }: ResourceStore<Message>) {
  return Array.from(resources, ([name, message]) => {
    return [decoder.kind, name, () => decoder.encode(message)] as const;
  });
}

function decodeAll<Message>(
  decoder: ResourceDecoder<Message>,
  encoded: EncodedResources,
): ReadonlyMap<string, Message> {
  const messages = new Map<string, Message>();
  for (const [name, bytes] of encoded[decoder.kind]) {
    try {
      messages.set(name, decoder.decode(name, bytes));
    } catch (error) {
      throw new Error(`${decoder.kind} ${quoted(name)} is not valid: ${reasonOf(error)}`, { cause: error });
    }
  }
  return messages;
}

function createSubscription(
  { kind, typeUrl }: { readonly kind: ResourceKind; readonly typeUrl: string },
  store: ResourceStore<unknown>,
  publish: (changed: readonly string[]) => void,
  { log, observer }: { readonly log: Logger; readonly observer: ResponseObserver | undefined },
): Subscription {
  let acked: { readonly nonce: string; readonly version: string | null } | undefined;
  let nack: KindStatus['nack'] = null;
  return {
    kind,
    typeUrl,
    versions: store.versions,
    apply(response) {
      const { nonce } = response;
      // Optional, and for people alone: an empty one would look like a value.
      const version = response.systemVersionInfo === '' ? null : response.systemVersionInfo;
      const isFirst = acked === undefined && nack === null;
      if (observer !== undefined && (isFirst || store.mayNarrow(response))) observer.narrowing();
      const { changed, rejected } = store.apply(response);
      observer?.applied(kind);
      publish(changed);
      const fields = {
        nonce,
        ...(version !== null && { version }),
        changed: changed.length,
        held: store.resources.size,
      };
      if (rejected.length === 0) {
        acked = { nonce, version };
        nack = null;
        log.info(`acknowledged ${kind}`, fields);
        return undefined;
      }
      const message = rejected.join('; ');
      nack = { nonce, message };
      log.warn(`refused a part of ${kind}: ${message}`, fields);
      return message;
    },
    status: () => ({
      kind,
      held: store.resources.size,
      ackedNonce: acked?.nonce ?? null,
      ackedVersion: acked?.version ?? null,
      nack,
    }),
  };
}
