/** What the writer made of one kind: every state that the API server may have stored, in order. */
export class History<S> {
  readonly #states: S[];

  constructor(first: S) {
    this.#states = [first];
  }

  get latest(): S {
    return this.at(this.lastIndex);
  }

  get lastIndex(): number {
    return this.#states.length - 1;
  }

  at(index: number): S {
    const state = this.#states[index];
    if (state === undefined) throw new Error(`the history has no state ${index}`);
    return state;
  }

  /** Adds a state before its request is sent: it may be seen before the response. */
  propose(state: S): void {
    this.#states.push(state);
  }

  /** The proposed state was not stored. It becomes the one before it, so that indexes stay as they are. */
  withdraw(): void {
    this.#states[this.lastIndex] = this.at(this.lastIndex - 1);
  }
}

/** The namespaces whose Services the Gateway serves; it may not exist. */
export type GatewayState = 'absent' | 'all' | 'same' | 'red' | 'blue';

/** Objects by name, each with the version that its content names. */
export type Objects = ReadonlyMap<string, string>;

/** The histories of the kinds that the writer changes. */
export interface Histories {
  /** `<namespace>/<name>` of each Service that is a target. */
  readonly services: History<Objects>;
  /** The label `team` of each namespace. */
  readonly namespaces: History<Objects>;
  readonly gateway: History<GatewayState>;
  /** Policies of the Gateway's namespace, by name. */
  readonly policies: History<Objects>;
}

/** A position in each history. */
export type Indexes = Readonly<Record<keyof Histories, number>>;

export function lastIndexes({ services, namespaces, gateway, policies }: Histories): Indexes {
  return {
    services: services.lastIndex,
    namespaces: namespaces.lastIndex,
    gateway: gateway.lastIndex,
    policies: policies.lastIndex,
  };
}

/** The namespace of the Gateway and of its policies. */
export const home = 'default';

/** The namespaces whose Services a Gateway serves (`docs/semantics.md`, "Targets"). */
export function allowedNamespaces(namespaces: Objects, gateway: GatewayState): readonly string[] {
  const all = [...namespaces.keys()];
  switch (gateway) {
    case 'absent':
      return [];
    case 'all':
      return all;
    case 'same':
      return [home];
    case 'red':
    case 'blue':
      return all.filter((namespace) => namespaces.get(namespace) === gateway);
  }
}

/** The targets of a world in which these namespaces are allowed. */
export function targetsOf(services: Objects, allowed: readonly string[]): Objects {
  return new Map([...services].filter(([name]) => allowed.includes(name.slice(0, name.indexOf('/')))));
}

/** The Configs of a world in which the Gateway exists, or does not. */
export function configsOf(policies: Objects, exists: boolean): Objects {
  if (!exists) return new Map();
  return new Map([...policies].map(([name, version]) => [`${home}.${name}`, version]));
}

/** A text that is equal for equal objects. */
export function textOf(objects: Objects): string {
  return [...objects]
    .map(([name, version]) => `${name}=${version}`)
    .sort()
    .join(' ');
}
