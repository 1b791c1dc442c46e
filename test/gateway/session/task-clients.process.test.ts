import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { expect, it } from 'vitest';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { startEverything } from '../../support/gateway/everything-server.ts';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';
import { startRawTarget } from '../../support/gateway/raw-target.ts';
import { createTaskServer, withTasks } from '../../support/gateway/task-server.ts';
import { readEvents } from '../../support/nodes/raw-client.ts';
import { ask, version } from '../../support/nodes/stateless-client.ts';

const info = { name: 'test', version: '1' };
const capabilities = { elicitation: { form: {} } };

/** Sends a request as the library has framed it, since the SDK's client does not know results that are tasks. */
async function dispatch(gateway: GatewayRig, token: string, request: unknown) {
  const { method, params } = Object(request);
  const { _meta: meta, ...rest } = params;
  const response = await ask(gateway, { token, method, params: rest, meta });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const events = readEvents(response.clone());
  let message = isStream ? await events.next() : JSON.parse(await response.text());
  while (message !== undefined && 'method' in message) message = await events.next();
  const { result, error } = Object(message);
  return error === undefined ? { kind: 'result' as const, result } : { kind: 'error' as const, error };
}

/** Calls a tool as the client library of the extension does, and answers whatever it is asked with `accept`. */
async function call(target: Target, name: string, args: Record<string, string | number | boolean>) {
  await using gateway = await startGateway();
  gateway.config.putTarget(target);
  gateway.config.allowAll('n.p', 'me');
  const token = gateway.token('me');
  const client = new Client(info, { capabilities, versionNegotiation: { mode: { pin: version } } });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit }));
  const asked: string[] = [];
  const session = createTaskSessionFromClient(client, {
    endpointId: 'gateway',
    rawDispatch: (request: unknown) => dispatch(gateway, token, request),
    v2RequestFraming: { protocolVersion: version, clientInfo: info, clientCapabilities: capabilities },
    async onInputRequest({ kind }) {
      asked.push(kind);
      return { action: 'accept', content: { name: 'I', interpretation: 'technical' } } as never;
    },
  });
  try {
    const execution = await session.callTool(name, args);
    const { outcome } = await execution.settle();
    return { asked, result: JSON.stringify(resultFromTaskOutcome(outcome)) };
  } finally {
    await session.close();
    await client.close();
  }
}

it('the client library of the extension runs a task of a target that has it, and answers what it asks', async () => {
  const options = { stateless: true, capabilities: { tools: {}, ...withTasks } };
  await using target = await startRawTarget(createTaskServer().script, options);
  const { asked, result } = await call(target.target('a'), 'a:confirm_delete', {});
  expect(asked).toEqual(['elicitation']);
  expect(result).toContain('accept');
});

it('it runs a task of a server of the earlier SDK, whose tool has to be one, and answers what it asks', async () => {
  await using server = await startEverything('streamableHttp');
  const args = { topic: 'gateways', ambiguous: true };
  const { asked, result } = await call(server.target('a'), 'a:simulate-research-query', args);
  expect(asked).toEqual(['elicitation']);
  expect(result).toContain('gateways');
}, 60_000);
