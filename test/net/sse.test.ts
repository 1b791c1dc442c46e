import { expect, it } from 'vitest';
import { eventText, keepAlive } from '../../src/net/sse.ts';

it('an event has a name and one line of data, and a comment has neither', () => {
  expect(eventText('message', '{"a":1}')).toBe('event: message\ndata: {"a":1}\n\n');
  expect(keepAlive).toMatch(/^:.*\n\n$/);
});
