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
import { corrupted, misspelt, nonsense } from './garbage.ts';
import { type Mapping, resource } from './objects.ts';
import { samples } from './samples.ts';

/** A corrupted object must give access to nothing that the valid object did not. */

const validValues = <T>(parts: readonly Parsed<T>[]): readonly T[] =>
  parts.flatMap((part) => (part.ok ? [part.value] : []));

/** The access that is left in a corrupted object. */
function remaining(
  kind: RestrictingKind,
  value: Mapping,
  accessIn: (value: Mapping) => readonly string[],
): readonly string[] {
  return decode(kind, value).readable ? accessIn(value) : [];
}

function grants(value: Mapping): readonly string[] {
  const { targetRefs, rules }: MCPAuthPolicy = resource('MCPAuthPolicy', value);
  const places = validValues(targetRefs).map((ref) => JSON.stringify(ref));
  const granted = validValues(rules.ok ? rules.value : []).flatMap(({ resource: what, matches }) =>
    validValues(matches).map((match) => JSON.stringify([what, match])),
  );
  return places.flatMap((place) => granted.map((grant) => `${place} ${grant}`));
}

const labelSets: readonly Readonly<Record<string, string>>[] = [
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
  const chosen = labelSets.filter((labels) => value.selector && selects(value.selector, labels));
  return chosen.map((labels) => `${name.value} ${JSON.stringify(labels)}`);
}

function scopes(value: Mapping): readonly string[] {
  const { listeners }: Gateway = resource('Gateway', value);
  return validValues(listeners).flatMap(scope);
}

function targets(value: Mapping): readonly string[] {
  const { address, path, mcpPorts }: Service = resource('Service', value);
  if (!address.ok || !path.ok) return [];
  return validValues(mcpPorts).map(({ port }) => JSON.stringify([address.value, path.value, port]));
}

/** The port with the short target name. */
function firstPort(value: Mapping): readonly string[] {
  const [first] = resource('Service', value).mcpPorts;
  return first?.ok ? [String(first.value.port)] : [];
}

type RestrictingKind = 'Gateway' | 'Service' | 'MCPAuthPolicy';

function expectNeverMore(
  kind: RestrictingKind,
  worse: fc.Arbitrary<Mapping>,
  accessIn: (value: Mapping) => readonly string[],
): void {
  const before = accessIn(samples[kind]);
  expect(before).not.toEqual([]);
  const property = fc.property(worse, (value) => {
    expect(before).toEqual(expect.arrayContaining([...remaining(kind, value, accessIn)]));
  });
  fc.assert(property, { numRuns: 1000 });
}

describe('invalid values and unknown fields in a valid object', () => {
  const orNull = fc.oneof(nonsense, fc.constant(null));

  it('never add a grant to a policy', () => {
    expectNeverMore('MCPAuthPolicy', corrupted(samples.MCPAuthPolicy, 'spec', orNull), grants);
  });

  it('never add a namespace to a listener', () => {
    expectNeverMore('Gateway', corrupted(samples.Gateway, 'spec', orNull), scopes);
  });

  it('never add a target to a Service', () => {
    expectNeverMore('Service', corrupted(samples.Service, 'spec', nonsense), targets);
    expectNeverMore('Service', corrupted(samples.Service, 'metadata', nonsense), targets);
  });

  it('never leave the name of a target to another port', () => {
    expectNeverMore('Service', corrupted(samples.Service, 'spec', nonsense), firstPort);
  });
});

describe('a misspelt field', () => {
  it('never adds a grant to a policy', () => {
    expectNeverMore('MCPAuthPolicy', misspelt(samples.MCPAuthPolicy, 'spec'), grants);
  });

  it('never adds a namespace to a listener', () => {
    expectNeverMore('Gateway', misspelt(samples.Gateway, 'spec'), scopes);
  });
});

it.each<KindName>(['GatewayParameters', 'Namespace'])('an invalid value in a %s leaves all or nothing', (kind) => {
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
    const property = fc.property(corrupted(samples[kind], root, nonsense), (value) => {
      expect([all, ...nothing]).toContainEqual(signal(value));
    });
    fc.assert(property, { numRuns: 300 });
  }
});
