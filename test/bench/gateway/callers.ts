import { Agent, get } from 'node:http';
import { messageIn, openSession, send, sendMcp } from '../hostile/programs/http-client.ts';

/** Calls the tool once, and rejects when the answer is another one. */
export type Call = () => Promise<void>;

/** One caller, with connections of its own. */
export interface BenchCaller {
  readonly call: Call;
  close(): void;
}

/** The tool of the target, by the name that the caller sees, and who calls it. */
export interface CallerSettings {
  readonly port: number;
  readonly tool: string;
  readonly token: string;
}

const answer = 'hello';

/** The result of the tool. */
export const toolResult: object = { content: [{ type: 'text', text: answer }] };

let sent = 0;

function callOf(tool: string): { readonly id: number; readonly message: object } {
  sent += 1;
  const params = { name: tool, arguments: { text: answer } };
  return { id: sent, message: { jsonrpc: '2.0', id: sent, method: 'tools/call', params } };
}

/** @param withSession false for a server without sessions, such as the target itself */
export async function streamableCaller(
  { port, tool, token }: CallerSettings,
  withSession: boolean,
): Promise<BenchCaller> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const session = withSession ? await openSession({ port, token, agent }) : undefined;
  return {
    async call() {
      const reply = await sendMcp({ port, token, agent, session, message: callOf(tool).message, timeout: 60_000 });
      expectAnswer(JSON.stringify(messageIn(reply)));
    },
    close: () => agent.destroy(),
  };
}

/** A session over HTTP+SSE, with its stream. */
export async function sseCaller({ port, tool, token }: CallerSettings): Promise<BenchCaller> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const waiting = new Map<number, (text: string) => void>();
  const endpoint = Promise.withResolvers<string>();
  let rest = '';
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const stream = get({ host: '127.0.0.1', port, path: '/sse', headers, agent: false }, (response) => {
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
  });
  stream.on('error', endpoint.reject);
  const path = `/sse${await endpoint.promise}`;
  const post = (message: object): Promise<unknown> => {
    const json = { ...headers, 'content-type': 'application/json' };
    return send({ port, path, method: 'POST', headers: json, body: JSON.stringify(message), agent, timeout: 60_000 });
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
    close() {
      stream.destroy();
      agent.destroy();
    },
  };
}

function expectAnswer(text: string): void {
  if (!text.includes(`"${answer}"`)) throw new Error(`a wrong answer: ${text.slice(0, 200)}`);
}
