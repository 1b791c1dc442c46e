/**
 * The world of the graph bench: Services yield targets, an index groups targets into shards by namespace, each shard has
 * a digest, Gateways show the digest of their namespace, and each policy looks up the target that it names. Values are
 * small, so that the cost of keeping them up to date dominates.
 */
export interface ShardWorld {
  setService(name: string, service: Service): void;
  deleteService(name: string): void;
  setPolicy(name: string, policy: Policy): void;
  /** Aggregates of the world, for comparing two implementations. */
  summary(): Summary;
}

export interface Service {
  readonly namespace: string;
  readonly ports: readonly number[];
  /** No transformation reads it. */
  readonly note: string;
}

export interface Target {
  readonly namespace: string;
  readonly port: number;
}

export interface Policy {
  readonly gateway: string;
  readonly target: string;
  readonly claim: string;
}

export interface Digest {
  readonly targets: number;
  readonly sum: number;
}

export interface Rule {
  readonly claim: string;
  readonly port: number | undefined;
}

export interface Inputs {
  readonly gateways: ReadonlyMap<string, string>;
  readonly services: ReadonlyMap<string, Service>;
  readonly policies: ReadonlyMap<string, Policy>;
}

export interface Summary {
  readonly targets: number;
  readonly ports: number;
  readonly gateways: number;
  readonly rules: number;
}

/** Services per namespace, so that shards have the same size in every world. */
export const servicesOfNamespace = 100;

/**
 * Creates this many Services, a tenth of them with a policy and another tenth with a second port, and ten Gateways, two
 * in each of the first five namespaces.
 */
export function createInputs(services: number): Inputs {
  const numbers = Array.from({ length: services }, (_, at) => at);
  const gateways = numbers
    .slice(0, 10)
    .map((at) => [`gateway-${at}`, namespaceOf((at % 5) * servicesOfNamespace)] as const);
  return {
    gateways: new Map(gateways),
    services: new Map(numbers.map((at) => [serviceName(at), createService(at, 1)])),
    policies: new Map(numbers.filter((at) => at % 10 === 0).map((at) => [`policy-${at}`, createPolicy(at, 'claim')])),
  };
}

export function serviceName(at: number): string {
  return `${namespaceOf(at)}/service-${at}`;
}

export function createService(at: number, version: number, note = ''): Service {
  return { namespace: namespaceOf(at), ports: at % 10 === 9 ? [version, version + 1] : [version], note };
}

export function createPolicy(at: number, claim: string): Policy {
  return { gateway: `gateway-${at % 10}`, target: serviceName(at), claim };
}

/** Yields a target per port: the first is named like the Service, further ones have the port's index appended. */
export function* targetsOf(name: string, { namespace, ports }: Service): Iterable<readonly [string, Target]> {
  for (const [at, port] of ports.entries()) yield [at === 0 ? name : `${name}/${at}`, { namespace, port }];
}

export function digestOf(targets: Iterable<Target>): Digest {
  let count = 0;
  let sum = 0;
  for (const { port } of targets) {
    count += 1;
    sum += port;
  }
  return { targets: count, sum };
}

function namespaceOf(at: number): string {
  return `namespace-${Math.floor(at / servicesOfNamespace)}`;
}
