import { indexRules } from '../../authz/authz.ts';
import type { RuleIndex } from '../../authz/model.ts';
import type { Logger } from '../../edges.ts';
import type { DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { reasonOf } from '../errors.ts';
import type { ConfigChange, GatewayConfig } from '../model.ts';
import type { KindStatus, ResourceKind } from './model.ts';
import { configDecoder, targetDecoder } from './resource-kinds.ts';
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

/** The configuration in force, with the subscriptions that update it, in the order of their first requests. */
export interface ConfigStore {
  readonly config: GatewayConfig;
  readonly subscriptions: readonly Subscription[];
}

/** Creates an empty configuration. */
export function createConfigStore(log: Logger): ConfigStore {
  const targets = createResourceStore(targetDecoder);
  const rbacConfigs = createResourceStore(configDecoder);
  let rules: RuleIndex | undefined;
  const listeners = new Set<(change: ConfigChange) => void>();
  const indexed: ResourceStore<unknown> = {
    ...rbacConfigs,
    apply(response) {
      // Before the change, so that nothing that happens during it lets a rule survive its removal.
      rules = undefined;
      return rbacConfigs.apply(response);
    },
  };
  const publish = (change: ConfigChange): void => {
    for (const listener of [...listeners]) {
      // The change is in force already: an error of one listener must not affect the others, nor the ACK.
      try {
        listener(change);
      } catch (error) {
        log.error('a change of the configuration could not be followed', { error: reasonOf(error) });
      }
    }
  };

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
      createSubscription(targetDecoder, targets, (names) => publish({ targets: names, rbacConfigs: [] }), log),
      createSubscription(configDecoder, indexed, (names) => publish({ targets: [], rbacConfigs: names }), log),
    ],
  };
}

function createSubscription(
  { kind, typeUrl }: { readonly kind: ResourceKind; readonly typeUrl: string },
  store: ResourceStore<unknown>,
  publish: (changed: readonly string[]) => void,
  log: Logger,
): Subscription {
  let acked: { readonly nonce: string; readonly version: string } | undefined;
  let nack: KindStatus['nack'] = null;
  return {
    kind,
    typeUrl,
    versions: store.versions,
    apply(response) {
      const { nonce, systemVersionInfo: version } = response;
      const { changed, rejected } = store.apply(response);
      if (changed.length > 0) publish(changed);
      const fields = { nonce, version, changed: changed.length, held: store.resources.size };
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
