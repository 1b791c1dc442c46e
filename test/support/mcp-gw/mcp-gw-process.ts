import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** The binary of the gateways of spring 2025, without which the tests that run it are skipped (CONTRIBUTING.md). */
export const mcpGwBinary: string | undefined = process.env['MCP_GW_BINARY'];

/** Such a gateway, unmodified. */
export interface McpGwProcess extends AsyncDisposable {
  readonly pid: number;
  /** How it ended by itself, with the end of its log; undefined while it runs. */
  death(): string | undefined;
  /** Settles when it has ended. */
  ended(): Promise<void>;
  kill(): Promise<void>;
}

/** What such a gateway is started with. */
export interface McpGwSettings {
  /** A path for its configuration; its log is written beside it. */
  readonly file: string;
  /** Its configuration, with the port of 127.0.0.1 that it binds. */
  readonly config: { readonly listener: { readonly port: number } };
  /** The URL of a {@link ClusterProxy}, through which it reaches its targets. */
  readonly proxy?: string;
}

/**
 * Starts the node of the Gateway `default/mcp-gateway`, as the guide's Deployment does, and waits until it listens. Of
 * its two other listeners, whose ports are fixed, it does without one that is taken.
 */
export async function startMcpGw({ file, config, proxy }: McpGwSettings): Promise<McpGwProcess> {
  writeFileSync(file, JSON.stringify(config));
  const { PATH = '', HOME = '' } = process.env;
  const pod = { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' };
  const proxied = proxy === undefined ? {} : { http_proxy: proxy, no_proxy: '127.0.0.1' };
  // A file, and no pipe, which the process that measures it would have to read.
  const log = openSync(`${file}.log`, 'w');
  const child = spawn(mcpGwBinary ?? '', [`--file=${file}`], {
    env: { PATH, HOME, ...pod, ...proxied },
    stdio: ['ignore', 'ignore', log],
  });
  closeSync(log);
  let death: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      death = String(error);
      resolve();
    });
    child.once('close', (code, signal) => {
      death = `ended with ${signal ?? code}:\n${readFileSync(`${file}.log`, 'utf8').slice(-20_000)}`;
      resolve();
    });
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  while (!(await accepts(config.listener.port))) {
    if (death !== undefined) throw new Error(death);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { pid: child.pid ?? 0, death: () => death, ended: () => ended, kill, [Symbol.asyncDispose]: kill };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A forward proxy, by which the names of a cluster lead to ports of this machine. */
export interface ClusterProxy extends Disposable {
  readonly url: string;
}

/** @param addresses by `<host>:<port>` in the cluster */
export async function startClusterProxy(addresses: Readonly<Record<string, string>>): Promise<ClusterProxy> {
  const server = createServer((incoming, response) => {
    const asked = URL.parse(incoming.url ?? '');
    const address = asked === null ? undefined : addresses[asked.host];
    if (asked === null || address === undefined) return void response.writeHead(502).end();
    const [host = '', port = ''] = address.split(':');
    const { method = 'GET', headers } = incoming;
    const path = `${asked.pathname}${asked.search}`;
    const outgoing = request({ host, port, path, method, headers: { ...headers, host: address } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
