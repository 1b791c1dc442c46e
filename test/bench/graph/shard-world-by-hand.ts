import {
  type Digest,
  digestOf,
  type Inputs,
  type Policy,
  type Rule,
  type Service,
  type ShardWorld,
  type Summary,
  type Target,
  targetsOf,
} from './shard-world.ts';

/**
 * The same world without the graph: each edit updates exactly the values that depend on it, found through purpose-built
 * maps. The lower bound for the graph, without its generality, reports of changes, dependency records and error handling.
 */
export function createWorldByHand(inputs: Inputs): ShardWorld {
  const world = new HandWorld(inputs.gateways);
  for (const [name, service] of inputs.services) world.setService(name, service);
  for (const [name, policy] of inputs.policies) world.setPolicy(name, policy);
  return world;
}

class HandWorld implements ShardWorld {
  readonly #gateways: ReadonlyMap<string, string>;
  readonly #gatewaysOfNamespace = new Map<string, string[]>();
  readonly #services = new Map<string, Service>();
  readonly #targets = new Map<string, Target>();
  readonly #shards = new Map<string, Set<string>>();
  readonly #digests = new Map<string, Digest>();
  readonly #views = new Map<string, Digest>();
  readonly #policies = new Map<string, Policy>();
  readonly #policiesOfTarget = new Map<string, Set<string>>();
  readonly #rules = new Map<string, Rule>();

  constructor(gateways: ReadonlyMap<string, string>) {
    this.#gateways = gateways;
    for (const [name, namespace] of gateways) {
      this.#gatewaysOfNamespace.set(namespace, [...(this.#gatewaysOfNamespace.get(namespace) ?? []), name]);
    }
  }

  setService(name: string, service: Service): void {
    const before = this.#services.get(name);
    this.#services.set(name, service);
    this.#replaceTargets(name, before, service);
  }

  deleteService(name: string): void {
    const before = this.#services.get(name);
    this.#services.delete(name);
    this.#replaceTargets(name, before, undefined);
  }

  setPolicy(name: string, policy: Policy): void {
    const before = this.#policies.get(name);
    if (before !== undefined) this.#policiesOfTarget.get(before.target)?.delete(name);
    this.#policies.set(name, policy);
    const readers = this.#policiesOfTarget.get(policy.target) ?? new Set();
    this.#policiesOfTarget.set(policy.target, readers.add(name));
    this.#updateRule(name, policy);
  }

  summary(): Summary {
    return {
      targets: this.#targets.size,
      ports: digestOf(this.#targets.values()).sum,
      gateways: [...this.#views.values()].reduce((sum, view) => sum + view.sum, 0),
      rules: [...this.#rules.values()].reduce((sum, { port = 0 }) => sum + port, 0),
    };
  }

  #replaceTargets(name: string, before: Service | undefined, after: Service | undefined): void {
    const old = new Map(before && targetsOf(name, before));
    const now = new Map(after && targetsOf(name, after));
    const touched = new Set<string>();
    for (const [key, target] of old) {
      if (now.has(key)) continue;
      this.#targets.delete(key);
      this.#shards.get(target.namespace)?.delete(key);
      touched.add(target.namespace);
      this.#updateRules(key);
    }
    for (const [key, target] of now) {
      const held = old.get(key);
      if (held?.port === target.port && held.namespace === target.namespace) continue;
      this.#targets.set(key, target);
      const shard = this.#shards.get(target.namespace) ?? new Set();
      this.#shards.set(target.namespace, shard.add(key));
      touched.add(target.namespace);
      this.#updateRules(key);
    }
    for (const namespace of touched) this.#updateDigest(namespace);
  }

  #updateDigest(namespace: string): void {
    const targets: Target[] = [];
    for (const key of this.#shards.get(namespace) ?? []) {
      const target = this.#targets.get(key);
      if (target !== undefined) targets.push(target);
    }
    const digest = digestOf(targets);
    this.#digests.set(namespace, digest);
    for (const gateway of this.#gatewaysOfNamespace.get(namespace) ?? []) this.#views.set(gateway, digest);
  }

  #updateRules(target: string): void {
    for (const name of this.#policiesOfTarget.get(target) ?? []) {
      const policy = this.#policies.get(name);
      if (policy !== undefined) this.#updateRule(name, policy);
    }
  }

  #updateRule(name: string, { gateway, target, claim }: Policy): void {
    if (this.#gateways.has(gateway)) this.#rules.set(name, { claim, port: this.#targets.get(target)?.port });
  }
}
