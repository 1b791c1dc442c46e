import { configsOf, type Histories, type Indexes, type Objects, targetsOf, textOf } from './history.ts';

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

  constructor(histories: Histories) {
    this.#histories = histories;
  }

  /** Returns undefined, or a sentence about an observation that no such world explains; it is not counted then. */
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
    const found: Position[] = [];
    for (const gatewayIndex of histories.gateway.distinct(gateway, upTo.gateway, String).values()) {
      for (const namespacesIndex of histories.namespaces.distinct(namespaces, upTo.namespaces, textOf).values()) {
        const [allowed, labels] = [histories.gateway.at(gatewayIndex), histories.namespaces.at(namespacesIndex)];
        for (let index = services; index <= upTo.services; index += 1) {
          if (textOf(targetsOf(histories.services.at(index), labels, allowed)) !== wanted) continue;
          found.push([index, namespacesIndex, gatewayIndex]);
          break;
        }
      }
    }
    return found;
  }

  #afterConfigs({ held, upTo }: Observation, [policies = 0, gateway = 0]: Position): Position[] {
    const histories = this.#histories;
    const wanted = textOf(held);
    const found: Position[] = [];
    for (const gatewayIndex of histories.gateway.distinct(gateway, upTo.gateway, String).values()) {
      for (let index = policies; index <= upTo.policies; index += 1) {
        if (textOf(configsOf(histories.policies.at(index), histories.gateway.at(gatewayIndex))) !== wanted) continue;
        found.push([index, gatewayIndex]);
        break;
      }
    }
    return found;
  }
}

/** The positions that are above no other one. */
function leastOf(positions: readonly Position[]): readonly Position[] {
  const distinct = [...new Map(positions.map((position) => [position.join(), position])).values()];
  const isAbove = (one: Position, other: Position): boolean =>
    one !== other && one.every((index, at) => index >= (other[at] ?? 0));
  return distinct.filter((one) => !distinct.some((other) => isAbove(one, other)));
}
