import { once } from 'node:events';
import { Agent, type ClientRequest, get } from 'node:http';
import { mcpHeaders, messageIn, openSession, send, sendMcp } from '../hostile/programs/http-client.ts';

/** Calls the tool once, and rejects when the answer is another one. */
export type Call = () => Promise<void>;

/** One caller, with connections of its own unless it was given an agent. */
export interface BenchCaller {
  readonly call: Call;
  /** Ends its session. */
  close(): Promise<void>;
}

/** The tool of the target, by the name that the caller sees, and who calls it. */
export interface CallerSettings {
  readonly port: number;
  readonly tool: string;
  readonly token: string;
  /** Connections that it shares with others. */
  readonly agent?: Agent;
}

const answer = 'hello';

/** The result of the tool. */
export const toolResult: object = { content: [{ type: 'text', text: answer }] };

/** Milliseconds until a request of a caller fails. */
const timeout = 60_000;

let sent = 0;

function callOf(tool: string): { readonly id: number; readonly message: object } {
  sent += 1;
  const params = { name: tool, arguments: { text: answer } };
  return { id: sent, message: { jsonrpc: '2.0', id: sent, method: 'tools/call', params } };
}

/** @param sessions none for a server without sessions, such as the target itself; `listening` opens the stream as well */
export async function streamableCaller(
  { port, tool, token, agent: shared }: CallerSettings,
  sessions: 'none' | 'silent' | 'listening',
): Promise<BenchCaller> {
  const agent = shared ?? new Agent({ keepAlive: true, maxSockets: 1 });
  const session = sessions === 'none' ? undefined : await openSession({ port, token, agent });
  const headers = mcpHeaders(token, session);
  const stream = sessions === 'listening' ? await listen(port, headers) : undefined;
  return {
    async call() {
      const reply = await sendMcp({ port, token, agent, session, message: callOf(tool).message, timeout });
      expectAnswer(JSON.stringify(messageIn(reply)));
    },
    async close() {
      if (session !== undefined) await send({ port, method: 'DELETE', path: '/mcp', headers, agent });
      stream?.destroy();
      if (shared === undefined) agent.destroy();
    },
  };
}

async function listen(port: number, headers: Readonly<Record<string, string>>): Promise<ClientRequest> {
  const stream = get({ host: '127.0.0.1', port, path: '/mcp', headers, agent: false }, (response) => {
    response.on('error', () => {}).resume();
  });
  await once(stream, 'response');
  return stream.on('error', () => {});
}

/** A session over HTTP+SSE, with its stream. */
export async function sseCaller({ port, tool, token, agent: shared }: CallerSettings): Promise<BenchCaller> {
  const agent = shared ?? new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const { stream, endpoint, waiting } = openStream(port, headers);
  const path = `/sse${await endpoint}`;
  const post = (message: object): Promise<unknown> => {
    const json = { ...headers, 'content-type': 'application/json' };
    return send({ port, path, method: 'POST', headers: json, body: JSON.stringify(message), agent, timeout });
  };
  const ask = async (id: number, message: object): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.set(id, resolve);
    await post(message);
    return promise.finally(() => waiting.delete(id));
  };
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'bench', version: '0' } };
  await ask(0, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return {
    async call() {
      const { id, message } = callOf(tool);
      expectAnswer(await ask(id, message));
    },
    async close() {
      stream.destroy();
      if (shared === undefined) agent.destroy();
    },
  };
}

interface SseStream {
  readonly stream: ClientRequest;
  /** The query that the server gives to the session. */
  readonly endpoint: Promise<string>;
  /** Called with the message that has an id. */
  readonly waiting: Map<number, (text: string) => void>;
}

function openStream(port: number, headers: Readonly<Record<string, string>>): SseStream {
  const waiting: SseStream['waiting'] = new Map();
  const endpoint = Promise.withResolvers<string>();
  let rest = '';
  const stream = get({ host: '127.0.0.1', port, path: '/sse', headers, agent: false }, (response) => {
    if (response.statusCode !== 200) endpoint.reject(new Error(`/sse: status ${response.statusCode}`));
    response.setEncoding('utf8').on('data', (text: string) => {
      const events = (rest + text).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = event.split('data: ')[1] ?? '';
        if (event.startsWith('event: endpoint')) endpoint.resolve(data);
        const id = /"id":(\d+)/.exec(data)?.[1];
        waiting.get(Number(id))?.(data);
      }
    });
    response.on('error', () => {});
  });
  stream.on('error', endpoint.reject);
  return { stream, endpoint: endpoint.promise, waiting };
}

function expectAnswer(text: string): void {
  if (!text.includes(`"${answer}"`)) throw new Error(`a wrong answer: ${text.slice(0, 200)}`);
}
