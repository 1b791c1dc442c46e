import { createServer, type ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import { startRawTarget } from '../../support/gateway/raw-target.ts';
import { ask, key, version as stateless } from '../../support/nodes/stateless-client.ts';
import { openTextClient } from '../../support/nodes/text-client.ts';

type Json = Readonly<Record<string, unknown>>;
type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** A target whose tool asks the client for a text of its model, and returns it. */
interface AskingTarget extends AsyncDisposable {
  target(name: string): Target;
}

const sampling = {
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text: 'Which?' } }], maxTokens: 7 },
};
const resultOf = (answer: unknown): Json => ({ content: [{ type: 'text', text: Object(answer).content.text }] });

const targets: Readonly<Record<string, () => Promise<AskingTarget>>> = {
  '2024-11-05 (HTTP+SSE)': startSseTarget,
  async '2025-11-25'() {
    const target: Awaited<ReturnType<typeof startRawTarget>> = await startRawTarget(async ({ method }, say) => {
      if (method === 'tools/list') return { result: { tools: [] } };
      say(sampling.method, sampling.params, 'asked');
      return { result: resultOf(Object((await target.arrival('answer')).params).result) };
    });
    return target;
  },
  '2026-07-28': () =>
    startRawTarget(
      ({ params }) => {
        const { inputResponses } = params;
        if (inputResponses !== undefined) return { result: resultOf(Object(inputResponses).which) };
        return { result: { resultType: 'input_required', inputRequests: { which: sampling } } };
      },
      { stateless: true },
    ),
};

/** All messages of the target are on one stream. */
async function startSseTarget(): Promise<AskingTarget> {
  let stream: ServerResponse | undefined;
  let call: unknown;
  const write = (message: Json): unknown =>
    stream?.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void stream.write('event: endpoint\ndata: /post\n\n');
    }
    if (request.url !== '/post') return void response.writeHead(405).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    response.writeHead(202).end();
    const { id, method, result } = JSON.parse(text);
    const capabilities = { tools: {} };
    if (method === 'initialize') write({ id, result: { protocolVersion: '2024-11-05', capabilities, serverInfo: {} } });
    if (method === 'tools/list') write({ id, result: { tools: [] } });
    if (method === 'tools/call') {
      call = id;
      write({ id: 'asked', ...sampling });
    }
    if (id === 'asked') write({ id: call, result: resultOf(result) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  return {
    target: (name) => ({ name, host: '127.0.0.1', port, path: '/sse' }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const call = { name: 'a:x', arguments: {} };
const answer = { role: 'assistant', model: 'm', content: { type: 'text', text: 'This one.' } };

/** Calls the tool as a client of this revision does, and answers what it is asked. */
async function resultFor(revision: string, gateway: Gateway): Promise<Json> {
  const token = gateway.token('me');
  if (revision === stateless) {
    const meta = { [key('clientCapabilities')]: { sampling: {} } };
    const request = { token, method: 'tools/call', meta };
    const asked = resultIn(await (await ask(gateway, { ...request, params: call })).text());
    const [[name, question] = ['']] = Object.entries(Object(asked['inputRequests']));
    expect(question).toMatchObject(sampling);
    const { requestState } = asked;
    const state = requestState === undefined ? {} : { requestState };
    const params = { ...call, inputResponses: { [name]: answer }, ...state };
    return resultIn(await (await ask(gateway, { ...request, params })).text());
  }
  const path = revision === '2024-11-05' ? '/sse' : '/mcp';
  await using client = await openTextClient(gateway, path, token, revision, { sampling: {} });
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
  const messages = await client.request(text, (asked) => {
    expect(JSON.parse(asked)).toMatchObject(sampling);
    return JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(asked).id, result: answer });
  });
  return JSON.parse(messages.at(-1) ?? '').result;
}

/** Of a response that is JSON, or an event stream. */
function resultIn(text: string): Json {
  const lines = text.split('\n').filter((line) => line.startsWith('data: {'));
  return JSON.parse(lines.at(-1)?.slice('data: '.length) ?? text).result;
}

for (const revision of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', stateless]) {
  it.each(Object.keys(targets))(`a client of ${revision} is asked by a target of %s, and answers it`, async (era) => {
    await using target = (await targets[era]?.()) ?? (await startSseTarget());
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    expect(await resultFor(revision, gateway)).toMatchObject(resultOf(answer));
  });
}
