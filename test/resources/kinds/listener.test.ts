import { describe, expect, it } from 'vitest';
import type { Listener } from '../../../src/resources/model.ts';
import { complaints, isUnderstood, type Mapping, object, outcome, resource, YES } from '../objects.ts';

const good: Mapping = { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp' };
const inGateway = (...listeners: readonly unknown[]): Mapping =>
  object('Gateway', { gatewayClassName: 'mcp', listeners });
const said = (value: unknown): readonly string[] => complaints('Gateway', inGateway(value));

function listener(change: Mapping): Listener {
  const [part] = resource('Gateway', inGateway({ ...good, ...change })).listeners;
  if (!part?.ok) throw new Error(part?.reason);
  return part.value;
}

describe('a listener', () => {
  it('that is no mapping is not understood, and its neighbours are', () => {
    for (const value of ['mcp', null, 5, [], YES]) {
      const { listeners } = resource('Gateway', inGateway(good, value, good));
      expect(listeners.map(isUnderstood)).toEqual([true, false, true]);
    }
  });

  it.each(['name', 'port', 'protocol'] as const)('keeps all but its %s when that is not understood', (field) => {
    for (const value of [undefined, null, true, [], YES]) {
      const read = listener({ [field]: value });
      const understood = [read.name, read.port, read.protocol].map(isUnderstood);
      expect(understood).toEqual(['name', 'port', 'protocol'].map((other) => other !== field));
      expect(read.faults).toEqual([]);
      expect(said({ ...good, [field]: value })).toEqual([
        expect.stringMatching(`^error spec\\.listeners\\[0\\]\\.${field} is `),
      ]);
    }
  });

  it.each([0, 65536, -1, 80.5, Number.NaN, Number.POSITIVE_INFINITY, '8080', 80n])('has no port %s', (port) => {
    expect(isUnderstood(listener({ port }).port)).toBe(false);
  });

  it.each([1, 65535, 8080.0])('has port %s', (port) => {
    expect(outcome(listener({ port }).port)).toBe(port);
  });

  it.each(['', 'Mcp', 'a_b', 'a:b', '-a', 'n'.repeat(254)])('cannot be named %j', (name) => {
    expect(isUnderstood(listener({ name }).name)).toBe(false);
  });

  it('may have a name with dots', () => {
    expect(outcome(listener({ name: 'a.b' }).name)).toBe('a.b');
  });

  it.each(['', 'mcp', 'kgateway.dev/MCP', 'kgateway.dev/mcp-sse', ' kgateway.dev/mcp', 'p'.repeat(256)])(
    'keeps the protocol %j, which is another one',
    (protocol) => expect(outcome(listener({ protocol }).protocol)).toBe(protocol),
  );

  it.each(['', 'kgateway.dev/mcp-sse', 'a b', 'p'.repeat(256)])(
    'is told that the API refuses the protocol %j',
    (protocol) => {
      expect(said({ ...good, protocol })).toEqual([
        expect.stringMatching(/^error spec\.listeners\[0\]\.protocol is ".*"…?: write a protocol/),
      ]);
    },
  );
});

describe('what a listener cannot honour or understand', () => {
  it('is a hostname or tls, when present', () => {
    expect(listener({})).toMatchObject({ hostname: false, tls: false, faults: [] });
    expect(listener({ hostname: 'a.example' })).toMatchObject({ hostname: true, tls: false, faults: [] });
    expect(listener({ tls: {} })).toMatchObject({ hostname: false, tls: true, faults: [] });
  });

  it.each<[string, Mapping, string]>([
    ['an unknown field', { allowedRoute: {} }, 'allowedRoute is not a known field: write "allowedRoutes"'],
    ['a hostname that is null', { hostname: null }, 'hostname is null'],
    ['an empty hostname', { hostname: '' }, 'hostname is ""'],
    ['a hostname that is a number', { hostname: 5 }, 'hostname is a number'],
    ['tls that is null', { tls: null }, 'tls is null'],
    ['tls that is a list', { tls: [] }, 'tls is a list'],
    ['an unknown field in tls', { tls: { Mode: 'Terminate' } }, 'tls.Mode is not a known field: write "mode"'],
  ])('is %s', (_, change, reason) => {
    expect(listener(change).faults).toEqual([expect.stringContaining(`spec.listeners[0].${reason}`)]);
    expect(said({ ...good, ...change })).toEqual([expect.stringMatching(/^error /)]);
  });

  it('is present even when it is not understood, but not when it is null', () => {
    expect(listener({ hostname: 5, tls: 5 })).toMatchObject({ hostname: true, tls: true });
    expect(listener({ hostname: null, tls: null })).toMatchObject({ hostname: false, tls: false });
  });

  it('is told all of it', () => {
    expect(listener({ b: 1, a: 1, hostname: 5, tls: 5 }).faults).toHaveLength(4);
  });
});
