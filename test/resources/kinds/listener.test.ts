import { describe, expect, it } from 'vitest';
import type { Listener } from '../../../src/resources/model.ts';
import { AMBIGUOUS, isValid, type Mapping, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const good: Mapping = { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp' };
const inGateway = (...listeners: readonly unknown[]): Mapping =>
  object('Gateway', { gatewayClassName: 'mcp', listeners });
const problems = (value: unknown): readonly string[] => problemsOf('Gateway', inGateway(value));

function listener(change: Mapping): Listener {
  const [part] = resource('Gateway', inGateway({ ...good, ...change })).listeners;
  if (!part?.ok) throw new Error(part?.reason);
  return part.value;
}

describe('a listener', () => {
  it('that is not a mapping is invalid, and its neighbours stay valid', () => {
    for (const value of ['mcp', null, 5, [], AMBIGUOUS]) {
      const { listeners } = resource('Gateway', inGateway(good, value, good));
      expect(listeners.map(isValid)).toEqual([true, false, true]);
    }
  });

  it.each(['name', 'port', 'protocol'] as const)('keeps all but an invalid %s', (field) => {
    for (const value of [undefined, null, true, [], AMBIGUOUS]) {
      const read = listener({ [field]: value });
      const understood = [read.name, read.port, read.protocol].map(isValid);
      expect(understood).toEqual(['name', 'port', 'protocol'].map((other) => other !== field));
      expect(read.errors).toEqual([]);
      expect(problems({ ...good, [field]: value })).toEqual([
        expect.stringMatching(`^error spec\\.listeners\\[0\\]\\.${field} is `),
      ]);
    }
  });

  it.each([0, 65536, -1, 80.5, Number.NaN, Number.POSITIVE_INFINITY, '8080', 80n])('rejects the port %s', (port) => {
    expect(isValid(listener({ port }).port)).toBe(false);
  });

  it.each([1, 65535, 8080.0])('accepts the port %s', (port) => {
    expect(valueOrReason(listener({ port }).port)).toBe(port);
  });

  it.each(['', 'Mcp', 'a_b', 'a:b', '-a', 'n'.repeat(254)])('rejects the name %j', (name) => {
    expect(isValid(listener({ name }).name)).toBe(false);
  });

  it('accepts a name with dots', () => {
    expect(valueOrReason(listener({ name: 'a.b' }).name)).toBe('a.b');
  });

  it.each(['', 'mcp', 'kgateway.dev/MCP', 'kgateway.dev/mcp-sse', ' kgateway.dev/mcp', 'p'.repeat(256)])(
    'keeps the protocol %j, which is another protocol',
    (protocol) => expect(valueOrReason(listener({ protocol }).protocol)).toBe(protocol),
  );

  it.each(['', 'kgateway.dev/mcp-sse', 'a b', 'p'.repeat(256)])(
    'has an error for the protocol %j, which the API refuses',
    (protocol) => {
      expect(problems({ ...good, protocol })).toEqual([
        expect.stringMatching(/^error spec\.listeners\[0\]\.protocol is ".*"…?: write a protocol/),
      ]);
    },
  );
});

describe('an unsupported or invalid part of a listener', () => {
  it('is a hostname or tls that is present', () => {
    expect(listener({})).toMatchObject({ hasHostname: false, hasTls: false, errors: [] });
    expect(listener({ hostname: 'a.example' })).toMatchObject({ hasHostname: true, hasTls: false, errors: [] });
    expect(listener({ tls: {} })).toMatchObject({ hasHostname: false, hasTls: true, errors: [] });
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
    expect(listener(change).errors).toEqual([expect.stringContaining(`spec.listeners[0].${reason}`)]);
    expect(problems({ ...good, ...change })).toEqual([expect.stringMatching(/^error /)]);
  });

  it('is present even when it is invalid, but not when it is null', () => {
    expect(listener({ hostname: 5, tls: 5 })).toMatchObject({ hasHostname: true, hasTls: true });
    expect(listener({ hostname: null, tls: null })).toMatchObject({ hasHostname: false, hasTls: false });
  });

  it('is listed with all others', () => {
    expect(listener({ b: 1, a: 1, hostname: 5, tls: 5 }).errors).toHaveLength(4);
  });
});
