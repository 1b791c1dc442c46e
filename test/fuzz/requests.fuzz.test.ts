import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { type GatewayRig, startGateway } from '../support/gateway/gateway-rig.ts';
import { type RawTarget, startRawTarget } from '../support/gateway/raw-target.ts';
import { openRawClient, type RawClient } from '../support/nodes/raw-client.ts';

/** In the corpus, where the id of the session goes. */
const sessionPlaceholder = '0123456789abcdef0123456789abcdef';
/** What only a caller may see whose token is in no input. */
const secret = 'the result of a tool that is not allowed';

let target: RawTarget;
let gateway: GatewayRig;
let friend: RawClient;
let nobody: RawClient;

beforeAll(async () => {
  target = await startRawTarget(({ method }) =>
    method === 'tools/call'
      ? { result: { content: [{ type: 'text', text: secret }] } }
      : { result: { tools: [], prompts: [], resources: [], resourceTemplates: [] } },
  );
  gateway = await startGateway();
  gateway.config.putTarget(target.target('default/a'));
  gateway.config.allow('default.friend', 'friend', 'tool', 'default/a:t');
  // The first token of the rig, which is in the corpus, is that of a caller who may use nothing.
  nobody = await openRawClient(gateway, gateway.token('nobody'));
  friend = await openRawClient(gateway, gateway.token('friend'));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

/** Inputs after which an honest caller makes sure that it is served. */
const inputsPerCheck = 50;
let inputs = 0;

/** Statuses that tell the sender what is wrong, or that all is well; none of a fault of the gateway. */
const statuses = [200, 202, 204, 400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 414, 415, 417, 429, 431, 501, 503];

describe('bytes that arrive at the listener for clients', () => {
  fuzz('are answered, allow nothing, and leave the gateway as it was', {
    corpus: new URL('./corpus/requests/', import.meta.url),
    dictionary: [
      '\r\n',
      '\r\n\r\n',
      'Transfer-Encoding: chunked\r\n',
      '0\r\n\r\n',
      'Bearer ',
      '{"jsonrpc":"2.0"',
      ' ',
      '\xff',
    ],
    async run(input) {
      const text = input.toString('latin1').replaceAll(sessionPlaceholder, nobody.sessionId);
      const logged = gateway.log.lines.length;
      const response = await exchange(Buffer.from(text, 'latin1'));
      expect(response).not.toContain(secret);
      for (const [, status] of response.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) expect(statuses).toContain(Number(status));
      if (response.includes('"Session not found"')) nobody = await openRawClient(gateway, gateway.token('nobody'));
      expect(gateway.log.lines.slice(logged).filter(({ level }) => level === 'error')).toEqual([]);
      inputs += 1;
      if (inputs % inputsPerCheck !== 0) return;
      const { result } = await friend.request('tools/call', { name: 'default/a:t', arguments: {} });
      expect(JSON.stringify(result)).toContain(secret);
    },
  });
});

/** Sends bytes and the end of the stream; resolves with what came back, or with the headers of an event stream. */
function exchange(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.end(bytes));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('text/event-stream')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}
