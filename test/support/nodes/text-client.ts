import type { GatewayRig } from '../gateway/gateway-rig.ts';
import { initialize, linesOf } from './raw-client.ts';

/** A client that sends and sees texts, over either transport of the gateway. */
export interface TextClient extends AsyncDisposable {
  /**
   * Sends a request and returns the messages that follow, the response last, as they were on the wire.
   *
   * @param answer returns the response to a request of the gateway that is among them
   */
  request(text: string, answer?: (request: string) => string): Promise<readonly string[]>;
}

/** Opens a session with a handshake, by default that of MCP 2025-11-25, of a client without capabilities. */
export async function openTextClient(
  gateway: GatewayRig,
  path: '/mcp' | '/mcp/' | '/sse' | '/sse/',
  token: string,
  version?: string,
  capabilities?: Readonly<Record<string, unknown>>,
): Promise<TextClient> {
  const headers: Record<string, string> = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
  };
  const closed = new AbortController();
  const stream = path.startsWith('/sse')
    ? await fetch(`${gateway.url}${path}`, { headers, signal: closed.signal })
    : undefined;
  const events = stream === undefined ? undefined : dataOf(stream);
  const url = new URL(events === undefined ? path : await first(events), `${gateway.url}${path}`);

  const post = (text: string): Promise<Response> => fetch(url, { method: 'POST', headers, body: text });
  const request: TextClient['request'] = async (text, answer) => {
    const response = await post(text);
    headers['mcp-session-id'] ??= response.headers.get('mcp-session-id') ?? '';
    if (!response.ok) return [await response.text()];
    return untilAnswer(events ?? dataOf(response), async (message) => {
      if (answer !== undefined && Object.hasOwn(JSON.parse(message), 'id')) await post(answer(message));
    });
  };
  await request(JSON.stringify(initialize(version, capabilities)));
  return {
    request,
    [Symbol.asyncDispose]() {
      closed.abort();
      return Promise.resolve();
    },
  };
}

async function untilAnswer(
  events: AsyncGenerator<string>,
  said: (message: string) => Promise<void>,
): Promise<readonly string[]> {
  const messages: string[] = [];
  for (;;) {
    const message = await first(events);
    messages.push(message);
    if (!Object.hasOwn(JSON.parse(message), 'method')) return messages;
    await said(message);
  }
}

async function first(events: AsyncGenerator<string>): Promise<string> {
  const { value, done } = await events.next();
  if (done === true) throw new Error('the stream ended without an answer');
  return value;
}

async function* dataOf(response: Response): AsyncGenerator<string> {
  for await (const line of linesOf(response)) if (line.startsWith('data: ')) yield line.slice('data: '.length);
}
