import { asJsonObject, type JsonObject, objectsOf } from '../../json/json.ts';
import type { Observation, ObservedObject, StatusKind } from '../../source/model.ts';
import type { GatewayStatus, PolicyStatus, Translation } from '../../translate/model.ts';
import { patchGatewayClassStatus } from '../conditions/gateway-class-status-patch.ts';
import { patchGatewayStatus } from '../conditions/gateway-status-patch.ts';
import { ancestorsWithoutRoom, patchPolicyStatus } from '../conditions/policy-status-patch.ts';
import type { StatusPatch } from './status-client.ts';

/** Identifies an object that has a status. */
export interface StatusObject {
  readonly kind: StatusKind;
  /** `<namespace>/<name>`, or the name of a cluster-scoped object. */
  readonly key: string;
}

/** A patch that the difference between desired and observed status requires. */
export interface PendingPatch extends StatusPatch {
  /** The desired status, the same value as long as it does not change; undefined for a policy without one. */
  readonly desired: unknown;
}

/** The desired statuses, by key. */
export type DesiredStatuses = {
  readonly [Kind in 'gatewayClassStatuses' | 'gatewayStatuses' | 'gatewaysWithoutClass' | 'policyStatuses']: Pick<
    Translation[Kind],
    'get'
  >;
};

/** The observed objects beside their desired statuses. */
export class StatusIndex {
  readonly #desired: DesiredStatuses;
  readonly #controllerName: string;
  readonly #observed: Readonly<Record<StatusKind, Map<string, ObservedObject>>> = {
    GatewayClass: new Map(),
    Gateway: new Map(),
    MCPAuthPolicy: new Map(),
  };

  constructor(desired: DesiredStatuses, controllerName: string) {
    this.#desired = desired;
    this.#controllerName = controllerName;
  }

  /** Stores what the API server has of an object. */
  observe({ kind, key, object }: Observation): void {
    if (object === undefined) this.#observed[kind].delete(key);
    else this.#observed[kind].set(key, object);
  }

  observed({ kind, key }: StatusObject): ObservedObject | undefined {
    return this.#observed[kind].get(key);
  }

  /** The observed objects; classes first, since the acceptance of the others depends on them. */
  *objects(): IterableIterator<StatusObject> {
    for (const kind of ['GatewayClass', 'Gateway', 'MCPAuthPolicy'] as const) {
      for (const key of this.#observed[kind].keys()) yield { kind, key };
    }
  }

  /**
   * Computes the patch of an object's status. Undefined when the status is up to date, when the object was not
   * observed, or when it belongs to another controller.
   *
   * @param now milliseconds since the epoch
   */
  pendingPatch(object: StatusObject, now: number): PendingPatch | undefined {
    const observed = this.observed(object);
    if (observed === undefined) return undefined;
    const fields = this.#changedFields(object, observed, now);
    if (fields === undefined) return undefined;
    return { ...object, resourceVersion: observed.resourceVersion, fields, desired: this.#desiredOf(object) };
  }

  /** The keys of the observed policies. */
  policies(): Iterable<string> {
    return this.#observed.MCPAuthPolicy.keys();
  }

  /** The desired ancestors of a policy that do not fit into its status beside those of other controllers. */
  ancestorsWithoutRoom(policy: string): PolicyStatus['ancestors'] {
    const observed = this.#observed.MCPAuthPolicy.get(policy);
    if (observed === undefined) return [];
    return ancestorsWithoutRoom(observed, this.#desired.policyStatuses.get(policy), this.#controllerName);
  }

  #changedFields({ kind, key }: StatusObject, observed: ObservedObject, now: number): JsonObject | undefined {
    const { gatewayClassStatuses, gatewayStatuses, policyStatuses } = this.#desired;
    switch (kind) {
      case 'GatewayClass': {
        const desired = gatewayClassStatuses.get(key);
        return desired && patchGatewayClassStatus(observed, desired, now);
      }
      case 'Gateway': {
        // A Gateway that another controller took over keeps its status: observedGeneration shows how old that is.
        const desired = gatewayStatuses.get(key) ?? this.#desiredWithoutClass(key, observed);
        return desired && patchGatewayStatus(observed, desired, now);
      }
      case 'MCPAuthPolicy':
        return patchPolicyStatus(observed, policyStatuses.get(key), this.#controllerName, now);
    }
  }

  /** The status of a Gateway whose class is gone, when the observed one is of this controller. */
  #desiredWithoutClass(key: string, observed: ObservedObject): GatewayStatus | undefined {
    const found = this.#desired.gatewaysWithoutClass.get(key);
    if (found === undefined) return undefined;
    const conditions = objectsOf(asJsonObject(observed.status)['conditions']);
    const programmed = conditions.find(({ type }) => type === 'Programmed')?.['message'];
    return found.replaces.some((message) => message === programmed) ? found.status : undefined;
  }

  #desiredOf({ kind, key }: StatusObject): unknown {
    const { gatewayClassStatuses, gatewayStatuses, gatewaysWithoutClass, policyStatuses } = this.#desired;
    if (kind === 'Gateway') return gatewayStatuses.get(key) ?? gatewaysWithoutClass.get(key);
    return (kind === 'GatewayClass' ? gatewayClassStatuses : policyStatuses).get(key);
  }
}
