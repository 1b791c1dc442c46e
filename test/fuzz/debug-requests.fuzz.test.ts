import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { mcpService, openGateway, policy, together } from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';

let world: RunningWorld;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  world = await startWorld({ 'a.yaml': together(openGateway, mcpService('a/b'), policy('default/p', 'gw')) });
  await world.applied();
});
afterAll(async () => {
  agent.destroy();
  await world[Symbol.asyncDispose]();
});

const statuses = [200, 400, 404, 405, 413, 431, 503];

/** Sends a GET for this target; resolves with the status and the text. */
function get(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const { port } = world.app.listening.debug;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    outgoing.on('error', reject).end();
  });
}

describe('the target of a request to the debug listener', () => {
  fuzz('is answered with JSON or a page, or refused in words, and is never a fault of the control plane', {
    corpus: new URL('./corpus/debug-requests/', import.meta.url),
    dictionary: [
      '/debug/',
      '?gateway=default%2Fgw',
      '&offset=',
      '&limit=',
      '&keys',
      '&pretty',
      '%',
      '%00',
      '%C3',
      '+',
      '=',
      '&',
      '//',
      '..',
      '9007199254740993',
      '-1',
      '1e9',
    ],
    async run(input) {
      // Node's client sends no other characters in a target, and a target of 4 KiB is long enough.
      const path = `/${input.toString('latin1').replace(/[^\x21-\x7e]/g, '')}`.slice(0, 4_096);
      // A stream does not end.
      if (path.startsWith('/debug/events')) return;
      const logged = world.log.lines.length;
      const { status, text } = await get(path);
      expect(statuses).toContain(status);
      if (status !== 200) expect(text.length).toBeLessThanOrEqual(2_000);
      expect(world.log.lines.slice(logged).filter(({ level }) => level === 'error')).toEqual([]);
    },
  });
});
