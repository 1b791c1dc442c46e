import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Gateway,
  KindName,
  LabelSelector,
  Listener,
  MCPAuthPolicy,
  Parsed,
  Service,
} from '../../src/resources/model.ts';
import { decode } from '../../src/resources/resources.ts';
import { misspelt, nonsense, spoilt } from './garbage.ts';
import { type Mapping, resource } from './objects.ts';
import { samples } from './samples.ts';

/** What is left when a good object is spoilt at one place must have been there before. */

const understood = <T>(parts: readonly Parsed<T>[]): readonly T[] =>
  parts.flatMap((part) => (part.ok ? [part.value] : []));

/** What of a good object is still there in a spoilt one. */
function left(kind: Told, value: Mapping, tell: (value: Mapping) => readonly string[]): readonly string[] {
  return decode(kind, value).readable ? tell(value) : [];
}

function grants(value: Mapping): readonly string[] {
  const { targetRefs, rules }: MCPAuthPolicy = resource('MCPAuthPolicy', value);
  const places = understood(targetRefs).map((ref) => JSON.stringify(ref));
  const granted = understood(rules.ok ? rules.value : []).flatMap(({ resource: what, matches }) =>
    understood(matches).map((match) => JSON.stringify([what, match])),
  );
  return places.flatMap((place) => granted.map((grant) => `${place} ${grant}`));
}

const worlds: readonly Readonly<Record<string, string>>[] = [
  {},
  { team: 'a' },
  { team: 'a', zone: 'z' },
  { team: 'a', zone: 'z', tier: 'lab' },
  { team: 'a', zone: 'z', frozen: '' },
  { zone: 'z' },
  { team: 'b', zone: 'z' },
];

function selects({ requirements }: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return requirements.every((requirement) => {
    const label = labels[requirement.key];
    if (requirement.operator === 'Exists') return label !== undefined;
    if (requirement.operator === 'DoesNotExist') return label === undefined;
    const isOneOf = label !== undefined && requirement.values.includes(label);
    return requirement.operator === 'In' ? isOneOf : !isOneOf;
  });
}

function scope({ name, port, protocol, hasHostname, hasTls, namespaces, errors }: Listener): readonly string[] {
  if (!name.ok || !port.ok || !namespaces.ok || !protocol.ok || protocol.value !== 'kgateway.dev/mcp') return [];
  if (hasHostname || hasTls || errors.length > 0) return [];
  const { value } = namespaces;
  if (value.from !== 'Selector') return [`${name.value} ${value.from}`];
  const chosen = worlds.filter((labels) => value.selector && selects(value.selector, labels));
  return chosen.map((labels) => `${name.value} ${JSON.stringify(labels)}`);
}

function scopes(value: Mapping): readonly string[] {
  const { listeners }: Gateway = resource('Gateway', value);
  return understood(listeners).flatMap(scope);
}

function targets(value: Mapping): readonly string[] {
  const { address, path, mcpPorts }: Service = resource('Service', value);
  if (!address.ok || !path.ok) return [];
  return understood(mcpPorts).map(({ port }) => JSON.stringify([address.value, path.value, port]));
}

/** The port that has the name without a port. */
function firstPort(value: Mapping): readonly string[] {
  const [first] = resource('Service', value).mcpPorts;
  return first?.ok ? [String(first.value.port)] : [];
}

type Told = 'Gateway' | 'Service' | 'MCPAuthPolicy';

function neverMore(kind: Told, worse: fc.Arbitrary<Mapping>, tell: (value: Mapping) => readonly string[]): void {
  const before = tell(samples[kind]);
  expect(before).not.toEqual([]);
  const property = fc.property(worse, (value) => {
    expect(before).toEqual(expect.arrayContaining([...left(kind, value, tell)]));
  });
  fc.assert(property, { numRuns: 1000 });
}

describe('nonsense and unknown fields in a good object', () => {
  const orNull = fc.oneof(nonsense, fc.constant(null));

  it('give nobody a grant that a policy did not give', () => {
    neverMore('MCPAuthPolicy', spoilt(samples.MCPAuthPolicy, 'spec', orNull), grants);
  });

  it('let no listener allow a namespace that it did not allow', () => {
    neverMore('Gateway', spoilt(samples.Gateway, 'spec', orNull), scopes);
  });

  it('make no target of a Service that was none', () => {
    neverMore('Service', spoilt(samples.Service, 'spec', nonsense), targets);
    neverMore('Service', spoilt(samples.Service, 'metadata', nonsense), targets);
  });

  it('never leave the name of a target to another port', () => {
    neverMore('Service', spoilt(samples.Service, 'spec', nonsense), firstPort);
  });
});

describe('a misspelt field', () => {
  it('gives nobody a grant that a policy did not give', () => {
    neverMore('MCPAuthPolicy', misspelt(samples.MCPAuthPolicy, 'spec'), grants);
  });

  it('lets no listener allow a namespace that it did not allow', () => {
    neverMore('Gateway', misspelt(samples.Gateway, 'spec'), scopes);
  });
});

it.each<KindName>(['GatewayParameters', 'Namespace'])('nonsense leaves of a %s all or nothing', (kind) => {
  const good = decode(kind, samples[kind]);
  const signal = (value: Mapping): unknown => {
    const decoded = decode(kind, value);
    if (!decoded.readable) return undefined;
    if (decoded.resource.kind === 'Namespace') return decoded.resource.labels;
    return 'selfManaged' in decoded.resource ? decoded.resource.selfManaged.ok : undefined;
  };
  const nothing = [undefined, false, { known: false }];
  const all = good.readable ? signal(samples[kind]) : undefined;
  expect(nothing).not.toContainEqual(all);
  for (const root of ['spec', 'metadata'] as const) {
    const property = fc.property(spoilt(samples[kind], root, nonsense), (value) => {
      expect([all, ...nothing]).toContainEqual(signal(value));
    });
    fc.assert(property, { numRuns: 300 });
  }
});
