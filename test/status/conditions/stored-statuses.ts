import type { ObservedObject } from '../../../src/source/model.ts';
import type { Condition, PolicyStatus } from '../../../src/translate/model.ts';

/** The time of the tests: changed conditions get `now`, others keep `before`. */
export const now: number = Date.UTC(2026, 5, 1, 12, 0, 0, 789);
export const nowText = '2026-06-01T12:00:00Z';
export const before = '2026-05-01T00:00:00Z';

/** An object of generation 3 as an API server stores it. */
export function observed(status: unknown, generation = 3): ObservedObject {
  return { uid: 'a-uid', resourceVersion: '7', generation, status };
}

/** A desired condition of generation 3. */
export function desired<Type extends string>(
  type: Type,
  status: Condition['status'] = 'True',
  reason: string = 'Fine',
): Condition<Type> {
  return { type, status, reason, message: `${type} is ${status}.`, observedGeneration: 3 };
}

/** The stored form of {@link desired}, with a transition at `before`. */
export function stored(type: string, status: Condition['status'] = 'True', reason = 'Fine'): Record<string, unknown> {
  const { message } = desired(type, status, reason);
  return { type, status, observedGeneration: 3, lastTransitionTime: before, reason, message };
}

/** A condition of another controller. */
export function foreign(type: string): Record<string, unknown> {
  return { type, status: 'True', lastTransitionTime: before, reason: 'Theirs', message: '', extra: { kept: true } };
}

export const controllerName = 'kgateway.dev/kgateway';

/** A desired policy status with these ancestors, each Accepted. */
export function policyOf(...names: readonly string[]): PolicyStatus {
  const ancestors = names.map((name) => ({
    ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
    controllerName,
    conditions: [desired('Accepted')],
  }));
  return {
    kind: 'MCPAuthPolicy',
    namespace: 'default',
    name: 'policy',
    grants: 1,
    allows: 'sub=me: tool *',
    ancestors,
  };
}

/** A stored ancestor. */
export function ancestor(name: string, controller: string = controllerName): Record<string, unknown> {
  return {
    ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
    controllerName: controller,
    conditions: [stored('Accepted')],
  };
}
