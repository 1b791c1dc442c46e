import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';

/** The binary of the gateways of spring 2025, without which nothing is measured of it (CONTRIBUTING.md). */
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
interface McpGwSettings {
  /** A path for its configuration; its log is written beside it. */
  readonly file: string;
  /** Its configuration, with the port of 127.0.0.1 that it binds. */
  readonly config: { readonly listener: { readonly port: number } };
}

/**
 * Starts the node of the Gateway `default/mcp-gateway`, as the guide's Deployment does, and waits until it listens. Of
 * its two other listeners, whose ports are fixed, it does without one that is taken.
 */
export async function startMcpGw({ file, config }: McpGwSettings): Promise<McpGwProcess> {
  writeFileSync(file, JSON.stringify(config));
  const { PATH = '', HOME = '' } = process.env;
  const pod = { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' };
  // A file, and no pipe, which the process that measures it would have to read.
  const log = openSync(`${file}.log`, 'w');
  const child = spawn(mcpGwBinary ?? '', [`--file=${file}`], {
    env: { PATH, HOME, ...pod },
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
