import { createGraph } from '../../../src/graph/graph.ts';
import {
  type Digest,
  digestOf,
  type Inputs,
  type Policy,
  type Rule,
  type Service,
  type ShardWorld,
  type Target,
  targetsOf,
} from './shard-world.ts';

/** The world as derived collections of the graph. */
export interface GraphWorld extends ShardWorld {
  /** Transformations run since the first commit. */
  readonly runs: number;
}

export function createWorldByGraph(inputs: Inputs): GraphWorld {
  const graph = createGraph();
  const services = graph.source<Service>({ name: 'services' });
  const gateways = graph.source<string>({ name: 'gateways' });
  const policies = graph.source<Policy>({ name: 'policies' });
  const targets = graph.deriveMany<Service, Target>(services, (service, _, name) => targetsOf(name, service), {
    name: 'targets',
  });
  const shards = graph.index(targets, ({ namespace }) => [namespace], { name: 'shards' });
  const namespaces = graph.indexValues(shards, { name: 'namespaces' });
  const digests = graph.derive<string, Digest>(namespaces, (name, context) => digestOf(context.by(shards, name)), {
    name: 'digests',
  });
  const views = graph.derive(gateways, (namespace, context) => context.get(digests, namespace), { name: 'views' });
  const rules = graph.derive<Policy, Rule>(
    policies,
    ({ gateway, target, claim }, context) =>
      context.get(gateways, gateway) === undefined ? undefined : { claim, port: context.get(targets, target)?.port },
    { name: 'rules' },
  );
  let runs = 0;
  graph.commit(() => {
    for (const [key, value] of inputs.gateways) gateways.set(key, value);
    for (const [key, value] of inputs.services) services.set(key, value);
    for (const [key, value] of inputs.policies) policies.set(key, value);
  });
  const edit = (apply: () => void): void => {
    runs += graph.commit(apply).runs;
  };
  return {
    get runs() {
      return runs;
    },
    setService: (name, service) => edit(() => services.set(name, service)),
    deleteService: (name) => edit(() => services.delete(name)),
    setPolicy: (name, policy) => edit(() => policies.set(name, policy)),
    summary: () => ({
      targets: targets.size,
      ports: digestOf([...targets.entries()].map(([, target]) => target)).sum,
      gateways: [...views.entries()].reduce((sum, [, view]) => sum + view.sum, 0),
      rules: [...rules.entries()].reduce((sum, [, { port = 0 }]) => sum + port, 0),
    }),
  };
}
