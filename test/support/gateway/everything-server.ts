import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { portOf } from './gateway-rig.ts';

const program = fileURLToPath(new URL('../../../node_modules/.bin/mcp-server-everything', import.meta.url));

/** The MCP project's test server, as an independent target. */
export interface EverythingServer extends AsyncDisposable {
  target(name: string): Target;
  /** Kills the process and starts another one on the same port, without the sessions of the first. */
  restart(): Promise<void>;
}

export async function startEverything(transport: 'sse' | 'streamableHttp'): Promise<EverythingServer> {
  const port = await freePort();
  let running = await launch(transport, port);
  const end = async (): Promise<void> => {
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  };
  return {
    target: (name) => ({ name, host: '127.0.0.1', port, path: transport === 'sse' ? '' : '/mcp' }),
    async restart() {
      await end();
      running = await launch(transport, port);
    },
    [Symbol.asyncDispose]: end,
  };
}

async function launch(transport: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, transport], { env: { ...process.env, PORT: String(port) } });
  child.stdout.resume();
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text: Buffer) => {
      if (/port/.test(String(text))) resolve();
    });
    child.once('exit', (code) => reject(new Error(`server-everything ended with ${code}`)));
  });
  return child;
}

/** Finds a port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}
