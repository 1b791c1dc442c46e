import type { Logger } from '../../edges.ts';
import type { DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { reasonOf } from '../errors.ts';
import type { World, WorldChange } from '../model.ts';
import type { KindStatus, ResourceKind } from './model.ts';
import { configReader, targetReader } from './resource-kinds.ts';
import { type Applied, createResourceStore } from './resource-store.ts';

/** One kind of resource as the stream sees it. */
export interface Subscription {
  readonly kind: ResourceKind;
  readonly typeUrl: string;
  /** The versions to report on a new stream. */
  readonly versions: ReadonlyMap<string, string>;
  /** Puts a response in force and answers what to tell the control plane: nothing (ACK), or why not all of it (NACK). */
  accept(response: DeltaDiscoveryResponse): string | undefined;
  status(): KindStatus;
}

/** What this gateway was told, with the subscriptions that tell it. Subscriptions stand in the order of their first request. */
export interface ToldWorld {
  readonly world: World;
  readonly subscriptions: readonly Subscription[];
}

export function createWorld(log: Logger): ToldWorld {
  const targets = createResourceStore(targetReader);
  const configs = createResourceStore(configReader);
  const listeners = new Set<(change: WorldChange) => void>();
  const tell = (change: WorldChange): void => {
    for (const listener of [...listeners]) {
      // What is in force is in force: a listener that fails must neither stop the others nor lose the answer.
      try {
        listener(change);
      } catch (error) {
        log.error('a change of the world could not be followed', { error: reasonOf(error) });
      }
    }
  };

  return {
    world: {
      targets: targets.held,
      configs: configs.held,
      subscribe(changed) {
        const listener = (change: WorldChange): void => changed(change);
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    subscriptions: [
      subscription(targetReader, targets, (names) => tell({ targets: names, configs: [] }), log),
      subscription(configReader, configs, (names) => tell({ targets: [], configs: names }), log),
    ],
  };
}

/** The parts of a store that do not depend on what it holds. */
interface AnyStore {
  readonly held: ReadonlyMap<string, unknown>;
  readonly versions: ReadonlyMap<string, string>;
  apply(response: DeltaDiscoveryResponse): Applied;
}

function subscription(
  { kind, typeUrl }: { readonly kind: ResourceKind; readonly typeUrl: string },
  store: AnyStore,
  tell: (names: readonly string[]) => void,
  log: Logger,
): Subscription {
  let acked: { readonly nonce: string; readonly version: string } | undefined;
  let nack: KindStatus['nack'] = null;
  return {
    kind,
    typeUrl,
    versions: store.versions,
    accept(response) {
      const { nonce, systemVersionInfo: version } = response;
      const { changed, refused } = store.apply(response);
      if (changed.length > 0) tell(changed);
      const fields = { nonce, version, changed: changed.length, held: store.held.size };
      if (refused.length === 0) {
        acked = { nonce, version };
        nack = null;
        log.info(`acknowledged ${kind}`, fields);
        return undefined;
      }
      const message = refused.join('; ');
      nack = { nonce, message };
      log.warn(`refused a part of ${kind}: ${message}`, fields);
      return message;
    },
    status: () => ({
      kind,
      held: store.held.size,
      ackedNonce: acked?.nonce ?? null,
      ackedVersion: acked?.version ?? null,
      nack,
    }),
  };
}
