import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * A kept connection for one request at a time. It finds the end of a response and parses nothing else: what `node:http`
 * does with a response takes as long as a fifth of a call, and a caller of `/mcp` waits for it, while a caller of HTTP+SSE
 * has it done beside the call, so that the two ways could not be compared.
 */
export interface BareConnection {
  /** Resolves with the whole response, its head included; rejects when the connection ends before. */
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<string>;
  close(): void;
}

export async function openConnection(port: number): Promise<BareConnection> {
  const socket = await socketTo(port);
  let received = '';
  let waiting: PromiseWithResolvers<string> | undefined;
  socket.on('data', (text: string) => {
    received += text;
    if (isWhole(received)) waiting?.resolve(received);
  });
  socket.on('close', () => waiting?.reject(new Error(`the connection ended within a response: ${received}`)));
  return {
    post(path, headers, body) {
      received = '';
      waiting = Promise.withResolvers();
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      socket.write(`${headOf('POST', path, port, { ...headers, ...length })}${body}`);
      return waiting.promise;
    },
    close: () => void socket.destroy(),
  };
}

/** @param onEvent called with each event, before the first of which is the head, and the framing of its chunk */
export async function openStream(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  onEvent: (text: string) => void,
): Promise<Disposable> {
  const socket = await socketTo(port);
  let rest = '';
  const read = (text: string): void => {
    const events = (rest + text).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) onEvent(event);
  };
  socket.write(headOf('GET', path, port, headers));
  const [first]: unknown[] = await once(socket, 'data');
  if (!String(first).startsWith('HTTP/1.1 200')) throw new Error(`no stream at ${path}: ${first}`);
  read(String(first));
  socket.on('data', read);
  return { [Symbol.dispose]: () => void socket.destroy() };
}

async function socketTo(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true }).setEncoding('utf8');
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

function headOf(method: string, path: string, port: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join('')}\r\n`;
}

/** The responses of these programs are chunked or have a length, and their bodies are ASCII. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
  if (length !== undefined) return text.length - end - 4 >= Number(length);
  return text.endsWith('\r\n0\r\n\r\n') || / (202|204) /.test(text.slice(0, 16));
}
