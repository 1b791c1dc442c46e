import { once } from 'node:events';
import { type Agent, type ClientRequest, get } from 'node:http';
import { mcpHeaders, openSession, send } from '../hostile/programs/http-client.ts';
import { openConnection, openStream } from './bare-connection.ts';

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

/** Sends a body and reads the whole response. */
interface Poster {
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<string>;
  close(): void;
}

/** On the connections of an agent, or on a bare one of its own. */
async function posterTo(port: number, agent: Agent | undefined): Promise<Poster> {
  if (agent === undefined) return openConnection(port);
  return {
    post: async (path, headers, body) =>
      (await send({ port, path, method: 'POST', headers: { ...headers }, body, agent, timeout })).text,
    close() {},
  };
}

/** @param sessions none for a server without sessions, such as the target itself; `listening` opens the stream as well */
export async function streamableCaller(
  { port, tool, token, agent }: CallerSettings,
  sessions: 'none' | 'silent' | 'listening',
): Promise<BenchCaller> {
  const pool = agent === undefined ? {} : { agent };
  const session = sessions === 'none' ? undefined : await openSession({ port, token, ...pool });
  const headers = mcpHeaders(token, session);
  const stream = sessions === 'listening' ? await listen(port, headers) : undefined;
  const poster = await posterTo(port, agent);
  return {
    async call() {
      expectAnswer(await poster.post('/mcp', headers, JSON.stringify(callOf(tool).message)));
    },
    async close() {
      if (session !== undefined) await send({ port, method: 'DELETE', path: '/mcp', headers, ...pool });
      stream?.destroy();
      poster.close();
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
export async function sseCaller({ port, tool, token, agent }: CallerSettings): Promise<BenchCaller> {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const posted = { ...headers, 'content-type': 'application/json' };
  const waiting = new Map<number, (text: string) => void>();
  const endpoint = Promise.withResolvers<string>();
  const stream = await openStream(port, '/sse', headers, (event) => {
    const data = event.split('data: ')[1] ?? '';
    if (event.includes('event: endpoint')) endpoint.resolve(data);
    waiting.get(Number(/"id":(\d+)/.exec(data)?.[1]))?.(data);
  });
  const poster = await posterTo(port, agent);
  const path = `/sse${await endpoint.promise}`;
  const ask = async (id: number, message: object): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.set(id, resolve);
    await poster.post(path, posted, JSON.stringify(message));
    return promise.finally(() => waiting.delete(id));
  };
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'bench', version: '0' } };
  await ask(0, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  await poster.post(path, posted, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return {
    async call() {
      const { id, message } = callOf(tool);
      expectAnswer(await ask(id, message));
    },
    async close() {
      stream[Symbol.dispose]();
      poster.close();
    },
  };
}

function expectAnswer(text: string): void {
  if (!text.includes(`"${answer}"`)) throw new Error(`a wrong answer: ${text.slice(0, 200)}`);
}
