import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRequestBodies } from '../../../src/mcp-tool/http/request-body.ts';
import { runTool } from '../support/running-tool.ts';

/** A request whose body is written by the test. */
function openRequest() {
  const body = new Readable({ read: () => {} });
  const request: Pick<IncomingMessage, 'headers' | 'iterator'> = { headers: {}, iterator: () => body.iterator() };
  return { request, body };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the bodies of requests', () => {
  it('are counted while they arrive, in all, and are free again when they are not needed', async () => {
    const bodies = createRequestBodies(1_000);
    const halves = Array.from({ length: 4 }, () => {
      const { request, body } = openRequest();
      body.push('"'.padEnd(1_000, 'x'));
      return { body, read: bodies.read(request).catch(() => undefined) };
    });
    await turn();
    const attempt = async (): Promise<string> => {
      const { request, body } = openRequest();
      body.push('{}');
      body.push(null);
      const read = await bodies.read(request);
      if (read.kind === 'json') read.release();
      return read.kind === 'json' ? 'read' : String(read.status);
    };
    expect(await attempt()).toBe('503');
    halves[0]?.body.destroy(new Error('the client has left'));
    await halves[0]?.read;
    expect(await attempt()).toBe('read');
  });

  it.each([
    ['values', `[${'1,'.repeat(10_000)}1]`],
    ['keys', `{${Array.from({ length: 10_000 }, (_, index) => `"${index}":1`).join(',')}}`],
    ['levels', '['.repeat(200) + ']'.repeat(200)],
  ])('with too many %s are refused on both transports, and the tool goes on', async (_, text) => {
    const tool = await runTool();
    onTestFinished(tool.stop);
    const post = (path: string): Promise<Response> =>
      fetch(new URL(path, tool.url), { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
    const refused = await post('/mcp');
    expect([refused.status, await refused.text()]).toEqual([
      413,
      'The message has more than 10000 values or 100 levels',
    ]);
    expect((await fetch(new URL('/healthz', tool.url))).status).toBe(200);
  });
});
