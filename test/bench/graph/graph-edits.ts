import { createPolicy, createService, type ShardWorld, serviceName, servicesOfNamespace } from './shard-world.ts';

/** A kind of edit, and the number of transformations that it must run in a world of any size. */
export interface Edit {
  readonly name: string;
  readonly runs: number;
  /** @param turn number of the edit; consecutive turns make different edits */
  apply(world: ShardWorld, size: number, turn: number): void;
}

export const graphEdits: readonly Edit[] = [
  {
    name: 'a note in a Service',
    runs: 1, // its targets, which come out equal
    apply: (world, size, turn) => {
      const at = serviceWithPolicy(size, turn);
      world.setService(serviceName(at), createService(at, 1, `${turn}`));
    },
  },
  {
    name: 'the claim of a policy',
    runs: 1, // its rule
    apply: (world, size, turn) => {
      const at = serviceWithPolicy(size, turn);
      world.setPolicy(`policy-${at}`, createPolicy(at, `claim-${turn}`));
    },
  },
  {
    name: 'the port of a Service that a policy names',
    runs: 3, // its targets, the digest of their shard, the rule of the policy
    apply: (world, size, turn) => {
      const at = serviceWithPolicy(size, turn);
      world.setService(serviceName(at), createService(at, turn + 2));
    },
  },
  {
    name: 'the port of a Service that two Gateways show',
    runs: 4, // its targets, the digest of their shard, two views
    apply: (world, _, turn) => {
      const at = 1 + (turn % 10) * 10;
      world.setService(serviceName(at), createService(at, turn + 2));
    },
  },
  {
    name: 'a Service goes, and comes back',
    runs: 5, // gone: digest and rule; back: those and its targets
    apply: (world, size, turn) => {
      const at = serviceWithPolicy(size, turn);
      world.deleteService(serviceName(at));
      world.setService(serviceName(at), createService(at, turn + 2));
    },
  },
];

/** Number of a Service that a policy names, in the last namespace, which has no Gateway. */
function serviceWithPolicy(size: number, turn: number): number {
  return size - servicesOfNamespace + (turn % 10) * 10;
}
