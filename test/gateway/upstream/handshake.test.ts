import { expect, it } from 'vitest';
import { handshakeOf } from '../../../src/gateway/upstream/handshake.ts';

it('a handshake keeps the capabilities that MCP has, and the beginning of the instructions', () => {
  const capabilities = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: false },
    logging: {},
    tasks: { list: {}, requests: { tools: { call: {} } } },
    extensions: { 'io.modelcontextprotocol/ui': { version: '1' } },
  };
  expect(handshakeOf(capabilities, 'x'.repeat(10_000))).toEqual({ capabilities, instructions: 'x'.repeat(8_192) });
  expect(handshakeOf(null, 1)).toEqual({ capabilities: {}, instructions: undefined });
});

it('a handshake keeps no more of capabilities than every session may keep, whatever their form', () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`n${index}`, {}]));
  const deep: unknown = JSON.parse(`${'{"a":'.repeat(400)}{}${'}'.repeat(400)}`);
  const list: unknown[] = Array.from({ length: 100_000 }, () => ({}));
  for (const capabilities of [
    many,
    { tools: many, prompts: many },
    { tools: { list } },
    { deep },
    { long: 'x'.repeat(1e6) },
  ]) {
    const kept = handshakeOf(capabilities, undefined);
    expect(JSON.stringify(kept).length).toBeLessThan(4_000);
    expect(Object.keys(kept.capabilities).length).toBeGreaterThanOrEqual('long' in capabilities ? 0 : 1);
  }
});
