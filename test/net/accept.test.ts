import { describe, expect, it } from 'vitest';
import { acceptedTypes } from '../../src/net/accept.ts';

const json = 'application/json';
const events = 'text/event-stream';

describe('the media types of MCP that a client accepts', () => {
  it.each([
    [undefined, [json, events]],
    ['  ', [json, events]],
    ['*/*', [json, events]],
    ['text/html, */*; q=0.1', [json, events]],
    ['application/*', [json]],
    ['text/*, text/event-stream;q=0', []],
    ['*/*, application/json;q=0.000', [events]],
    ['*/*;q=0, application/json', [json]],
    ['APPLICATION/JSON;charset=utf-8;Q=1', [json]],
    ['application/json;q=x', [json]],
    ['application/json;q=-1', []],
    ['*, application, /json, application/json5', []],
  ])('%j: %j', (header, types) => {
    expect(acceptedTypes(header)).toBe(types.join(', '));
  });
});
