import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

/** A request that the server received. */
export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly type: string | undefined;
  readonly body: string;
}

/** Serves one answer to every request on loopback; returns its address and what it was asked. */
export async function stubServer(answer: {
  readonly status?: number;
  readonly body: unknown;
}): Promise<{ readonly address: string; readonly asked: StubRequest[]; close(): void }> {
  const asked: StubRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      asked.push({ method, path, type: headers['content-type'], body: Buffer.concat(chunks).toString() });
      const { status = 200, body } = answer;
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { address: `127.0.0.1:${address.port}`, asked, close };
}

/** An address on loopback where nothing listens. */
export async function closedAddress(): Promise<string> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  await new Promise((closed) => server.close(closed));
  return `127.0.0.1:${port}`;
}
