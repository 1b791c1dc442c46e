import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ClusterWorld } from '../support/cluster/world.ts';
import { freePort } from '../support/gateway/everything-server.ts';
import { type GatehouseProcess, gatehouse } from '../support/processes/gatehouse-process.ts';
import { listens } from '../support/processes/guide-programs.ts';

/** The control plane under test: a process with its own service account, behind a proxy, always at the same port. */
export interface ControlPlane extends AsyncDisposable {
  /** `host:port` for nodes. */
  readonly address: string;
  /** Ends the process and starts another. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Makes its token invalid; resolves with a function that gives it another one. */
  expireToken(): Promise<() => Promise<void>>;
  /** Bytes. */
  residentMemory(): Promise<number>;
  /** What the log said last. */
  lastWords(): string;
}

const serviceAccount = ['kgateway-system', 'gatehouse'] as const;

/**
 * @param through the port of a proxy to the API server
 * @param flags of `serve`, besides its addresses
 */
export async function startControlPlane(
  { api, kubeconfig }: Pick<ClusterWorld, 'api' | 'kubeconfig'>,
  through: number,
  flags: readonly string[] = [],
): Promise<ControlPlane> {
  const [file, port] = [await kubeconfig(), await freePort()];
  /** The file of the first kubeconfig gets its content from others, by rename. */
  const replaceConfig = async (from: string): Promise<void> => {
    const text = await readFile(from, 'utf8');
    await writeFile(`${file}.next`, text.replace(api.url, `https://127.0.0.1:${through}`));
    await rename(`${file}.next`, file);
  };
  await replaceConfig(file);
  const start = (): GatehouseProcess =>
    gatehouse(['serve', `--kubeconfig=${file}`, ...flags, ...listens({ xds: port })]);
  let process = start();
  await process.line('synced: everything');
  /** One restart after another: two processes would want the same port. */
  let restarted = Promise.resolve();
  return {
    address: `127.0.0.1:${port}`,
    restart: (signal) => {
      restarted = restarted.then(async () => {
        process.signal(signal);
        await process.ended();
        process = start();
      });
      return restarted;
    },
    expireToken: async () => {
      const [namespace, name] = serviceAccount;
      await api.kubectl(['delete', 'serviceaccount', '-n', namespace, name]);
      await api.kubectl(['create', 'serviceaccount', '-n', namespace, name]);
      return async () => replaceConfig(api.kubeconfig({ token: await api.serviceAccountToken(namespace, name) }));
    },
    residentMemory: async () => {
      const metrics = await (await fetch(`http://${await process.listening('metrics')}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
    },
    lastWords: () => process.stderr().split('\n').slice(-20).join('\n'),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
