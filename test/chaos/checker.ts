import {
  allowedNamespaces,
  configsOf,
  type GatewayState,
  type Histories,
  type Indexes,
  type Objects,
  targetsOf,
  textOf,
} from './history.ts';
import { StateIndex } from './state-index.ts';

/** What a node holds of one type after a response, and how far the histories were by then. */
export interface Observation {
  readonly type: 'targets' | 'configs';
  readonly held: Objects;
  readonly upTo: Indexes;
}

/** A position in the histories that a type depends on. */
type Position = readonly number[];

/**
 * Checks what the control plane promises to a node that stays, over outages of the API server and restarts of the
 * control plane: after each response the node holds, of the type of the response, the translation of a world that
 * existed. Such a world is made of one state of each kind, since watches of different kinds are not ordered among
 * themselves, and each kind's state is the one of the last observation of the type or a later one: nothing goes back.
 * So it never holds a target or a rule that no combination of such states allows, and never lacks one that all allow.
 */
export class Checker {
  readonly #histories: Histories;
  /** The least positions that explain the observations so far; any position above one of them may be the real one. */
  readonly #positions: Record<Observation['type'], readonly Position[]> = { targets: [[0, 0, 0]], configs: [[0, 0]] };

  readonly #gateways: StateIndex<GatewayState>;
  readonly #labels: StateIndex<Objects>;
  readonly #targets = new Map<string, StateIndex<Objects>>();
  readonly #configs: Readonly<Record<'with' | 'without', StateIndex<Objects>>>;

  constructor(histories: Histories) {
    const { gateway, namespaces, policies } = histories;
    this.#histories = histories;
    this.#gateways = new StateIndex(gateway, String);
    this.#labels = new StateIndex(namespaces, textOf);
    this.#configs = {
      with: new StateIndex(policies, (state) => textOf(configsOf(state, true))),
      without: new StateIndex(policies, (state) => textOf(configsOf(state, false))),
    };
  }

  /**
   * Returns undefined, or a sentence about an observation that no such world explains; it is not counted then. Call it
   * when no change is under way: what was proposed must not be withdrawn afterwards.
   */
  check(observation: Observation): string | undefined {
    const { type, held } = observation;
    const before = this.#positions[type];
    const after = leastOf(
      before.flatMap((position) =>
        type === 'targets' ? this.#afterTargets(observation, position) : this.#afterConfigs(observation, position),
      ),
    );
    if (after.length === 0) {
      const from = before.map((position) => position.join(':')).join(', ');
      return `no world since ${from} explains the ${type} ${textOf(held) || 'none'} (up to ${JSON.stringify(observation.upTo)})`;
    }
    this.#positions[type] = after;
    return undefined;
  }

  #afterTargets({ held, upTo }: Observation, [services = 0, namespaces = 0, gateway = 0]: Position): Position[] {
    const histories = this.#histories;
    const wanted = textOf(held);
    return this.#gateways.firstOfEach(gateway, upTo.gateway).flatMap((gatewayIndex) =>
      this.#labels.firstOfEach(namespaces, upTo.namespaces).flatMap((namespacesIndex) => {
        const allowed = allowedNamespaces(histories.namespaces.at(namespacesIndex), histories.gateway.at(gatewayIndex));
        const index = this.#targetsIn(allowed).first(wanted, services, upTo.services);
        return index === undefined ? [] : [[index, namespacesIndex, gatewayIndex]];
      }),
    );
  }

  #afterConfigs({ held, upTo }: Observation, [policies = 0, gateway = 0]: Position): Position[] {
    const wanted = textOf(held);
    return this.#gateways.firstOfEach(gateway, upTo.gateway).flatMap((gatewayIndex) => {
      const configs = this.#configs[this.#histories.gateway.at(gatewayIndex) === 'absent' ? 'without' : 'with'];
      const index = configs.first(wanted, policies, upTo.policies);
      return index === undefined ? [] : [[index, gatewayIndex]];
    });
  }

  /** The Services as the targets of these namespaces. */
  #targetsIn(allowed: readonly string[]): StateIndex<Objects> {
    const key = allowed.join();
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const created = new StateIndex(this.#histories.services, (services) => textOf(targetsOf(services, allowed)));
    this.#targets.set(key, created);
    return created;
  }
}

/** The positions that are above no other one. */
function leastOf(positions: readonly Position[]): readonly Position[] {
  const distinct = [...new Map(positions.map((position) => [position.join(), position])).values()];
  const isAbove = (one: Position, other: Position): boolean =>
    one !== other && one.every((index, at) => index >= (other[at] ?? 0));
  return distinct.filter((one) => !distinct.some((other) => isAbove(one, other)));
}
