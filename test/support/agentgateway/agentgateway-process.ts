import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../gateway/everything-server.ts';

/** The binary of agentgateway 1.x, without which the tests that run it are skipped (CONTRIBUTING.md). */
export const agentgatewayBinary: string | undefined = process.env['AGENTGATEWAY_BINARY'];

/** agentgateway itself, with its three settings and free ports of its own. */
export interface AgentgatewayProcess extends AsyncDisposable {
  /** Settles when its readiness endpoint answers 200: both types are answered, and it has found itself. */
  ready(): Promise<void>;
  /** Kills it. */
  kill(): Promise<void>;
  /** Starts it again with the same ports. */
  start(): void;
}

/**
 * Starts the node of a Gateway in the namespace `default`.
 *
 * @param xds the address of the control plane
 */
export async function startAgentgateway(xds: string, gateway: string): Promise<AgentgatewayProcess> {
  const [admin, stats, readiness] = await Promise.all([freePort(), freePort(), freePort()]);
  const environment = {
    ...process.env,
    XDS_ADDRESS: `http://${xds}`,
    NAMESPACE: 'default',
    GATEWAY: gateway,
    // With a name and without LOCALITY it looks for its own Workload.
    POD_NAME: `${gateway}-${readiness}`,
    INSTANCE_IP: '127.0.0.1',
    IPV6_ENABLED: 'false',
    ADMIN_ADDR: `127.0.0.1:${admin}`,
    STATS_ADDR: `127.0.0.1:${stats}`,
    READINESS_ADDR: `127.0.0.1:${readiness}`,
  };
  let output = '';
  let running: ChildProcess | undefined;
  const start = (): void => {
    const child = spawn(agentgatewayBinary ?? '', ['-c', '{}'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = `${output}${text}`.slice(-20_000);
      });
    }
    running = child;
  };
  const kill = async (): Promise<void> => {
    const child = running;
    running = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  start();
  return {
    start,
    kill,
    async ready() {
      const isReady = (): Promise<boolean> =>
        fetch(`http://127.0.0.1:${readiness}/healthz/ready`).then(
          async (response) => (await response.text()) !== '' && response.ok,
          () => false,
        );
      while (!(await isReady())) {
        if (running?.exitCode !== null) throw new Error(`agentgateway ended:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    [Symbol.asyncDispose]: kill,
  };
}
