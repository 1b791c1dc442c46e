import type { JsonObject } from '../../json/json.ts';
import type { Observation, ObservedObject, StatusKind } from '../../source/model.ts';
import type { PolicyStatus, Translation } from '../../translate/model.ts';
import { mergeGatewayClassStatus } from '../conditions/gateway-class-status-patch.ts';
import { mergeGatewayStatus } from '../conditions/gateway-status-patch.ts';
import { ancestorsWithoutRoom, mergePolicyStatus } from '../conditions/policy-status-patch.ts';
import type { StatusWrite } from './status-client.ts';

/** An object with a status. */
export interface StatusObject {
  readonly kind: StatusKind;
  readonly key: string;
}

/** A write that is due. */
export interface DueWrite extends StatusWrite {
  /** What makes it necessary: the same value as long as nothing else is desired of the object. */
  readonly cause: unknown;
}

/** The statuses that are desired. */
export type DesiredStatuses = Pick<Translation, 'gatewayClassStatuses' | 'gatewayStatuses' | 'policyStatuses'>;

/** What the API server holds of each object, beside what is desired of it. */
export class StatusBook {
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

  observe({ kind, key, object }: Observation): void {
    if (object === undefined) this.#observed[kind].delete(key);
    else this.#observed[kind].set(key, object);
  }

  observed({ kind, key }: StatusObject): ObservedObject | undefined {
    return this.#observed[kind].get(key);
  }

  *objects(): IterableIterator<StatusObject> {
    // Classes first: everything else is accepted or not because of them.
    for (const kind of ['GatewayClass', 'Gateway', 'MCPAuthPolicy'] as const) {
      for (const key of this.#observed[kind].keys()) yield { kind, key };
    }
  }

  /**
   * What has to be written now; undefined when the status says what it should, when nobody knows the object, or when
   * it is none of ours.
   *
   * @param now milliseconds since the epoch
   */
  due(object: StatusObject, now: number): DueWrite | undefined {
    const observed = this.observed(object);
    if (observed === undefined) return undefined;
    const fields = this.#merge(object, observed, now);
    if (fields === undefined) return undefined;
    return { ...object, resourceVersion: observed.resourceVersion, fields, cause: this.#cause(object) };
  }

  /** The ancestors of a policy that its status has no room for. */
  crowdedOut(key: string): PolicyStatus['ancestors'] {
    const observed = this.#observed.MCPAuthPolicy.get(key);
    if (observed === undefined) return [];
    return ancestorsWithoutRoom(observed, this.#desired.policyStatuses.get(key), this.#controllerName);
  }

  #merge({ kind, key }: StatusObject, observed: ObservedObject, now: number): JsonObject | undefined {
    const { gatewayClassStatuses, gatewayStatuses, policyStatuses } = this.#desired;
    switch (kind) {
      case 'GatewayClass': {
        const desired = gatewayClassStatuses.get(key);
        return desired && mergeGatewayClassStatus(observed, desired, now);
      }
      case 'Gateway': {
        // One that fell out of scope keeps its status: observedGeneration tells how old it is.
        const desired = gatewayStatuses.get(key);
        return desired && mergeGatewayStatus(observed, desired, now);
      }
      case 'MCPAuthPolicy':
        return mergePolicyStatus(observed, policyStatuses.get(key), this.#controllerName, now);
    }
  }

  #cause({ kind, key }: StatusObject): unknown {
    const { gatewayClassStatuses, gatewayStatuses, policyStatuses } = this.#desired;
    const collections = { GatewayClass: gatewayClassStatuses, Gateway: gatewayStatuses, MCPAuthPolicy: policyStatuses };
    return collections[kind].get(key);
  }
}
