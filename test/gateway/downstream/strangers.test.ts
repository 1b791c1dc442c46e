import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';

describe('a request that is refused before its caller is known', () => {
  it.each([
    ['path', '/none', { method: 'GET' }],
    ['method', '/mcp', { method: 'PUT' }],
    ['origin', '/mcp', { method: 'POST', headers: { origin: 'https://evil.example' } }],
  ])('is counted by its reason: %s', async (reason, path, init) => {
    await using gateway = await startGateway();
    await (await fetch(`${gateway.url}${path}`, init)).text();
    expect(gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason })).toBe(1);
    expect(gateway.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('is in the log once when there are many', async () => {
    // A clock that stands, so that none is forgotten.
    await using gateway = await startGateway({ clock: createManualClock() });
    for (let round = 0; round < 8; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const response = await fetch(`${gateway.url}/none`);
          await response.text();
        }),
      );
    }
    expect(gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason: 'path' })).toBe(160);
    const warnings = gateway.log.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual(['many requests are refused before their caller is known']);
  });
});

it('a preflight is counted, and many of them are one line in the log', async () => {
  await using gateway = await startGateway({ clock: createManualClock() });
  const headers = { origin: 'http://localhost:1234', 'access-control-request-method': 'POST' };
  for (let sent = 0; sent < 110; sent += 1) await fetch(`${gateway.url}/mcp`, { method: 'OPTIONS', headers });
  expect(gateway.counters.total('gatehouse_gateway_requests_open_total', { kind: 'preflight' })).toBe(110);
  const warnings = gateway.log.lines.filter(({ level }) => level === 'warn');
  expect(warnings.map(({ message }) => message)).toEqual(['many requests are answered that need no token']);
});
