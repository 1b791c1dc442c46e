import { Agent, request as httpRequest } from 'node:http';
import { onTestFinished } from 'vitest';
import type { ApiRequest, ApiResponse, KubeConnection } from '../../../src/kube/model.ts';

/** A connection to an API server by plain HTTP, which records calls. */
export interface PlainConnection
  extends Pick<KubeConnection, 'send' | 'forgetCredentials' | 'reconnect' | 'onSuccess' | 'server'> {
  /** As a 2xx response to another client of the connection does, such as one about the Lease. */
  succeed(): void;
  /** The number of calls of `forgetCredentials` and `reconnect`. */
  readonly calls: { readonly forgotten: number; readonly reconnected: number };
}

/** @param url such as `http://127.0.0.1:1234` */
export function createPlainConnection(url: string): PlainConnection {
  const agent = new Agent({ keepAlive: true });
  const calls = { forgotten: 0, reconnected: 0 };
  const listeners = new Set<() => void>();
  const succeed = (): void => {
    for (const run of [...listeners]) run();
  };
  onTestFinished(() => agent.destroy());
  return {
    server: url,
    calls,
    succeed,
    send: async (request) => {
      const response = await send(url, agent, request);
      if (response.status === 200) succeed();
      return response;
    },
    onSuccess: (run) => {
      listeners.add(run);
      return () => void listeners.delete(run);
    },
    forgetCredentials: () => {
      calls.forgotten += 1;
    },
    reconnect: () => {
      calls.reconnected += 1;
    },
  };
}

function send(url: string, agent: Agent, { method, path, headers, signal }: ApiRequest): Promise<ApiResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
  const options = { method, agent, headers: { ...headers }, ...(signal && { signal }) };
  httpRequest(new URL(path, url), options, (response) => {
    resolve({
      status: response.statusCode ?? 0,
      header: (name) => {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      body: response,
    });
  })
    .on('error', reject)
    .end();
  return promise;
}
