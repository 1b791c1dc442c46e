import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { polled } from './poll.ts';
import { atFreePort } from './ports.ts';
import { type GuardedProcess, startGuarded } from './process.ts';
import { type ClusterRequests, createClusterRequests } from './requests.ts';

/** The parameters of an API server. */
export interface ServerSettings {
  readonly assets: string;
  readonly folder: string;
  readonly etcd: string;
  readonly token: string;
  readonly flags: readonly string[];
}

/** An API server that is ready and has the namespace `default`. */
export interface Server {
  readonly port: number;
  /** The certificate that the API server generates, with its CA, PEM. */
  readonly ca: string;
  readonly requests: ClusterRequests;
  /** Stops the process where it is (SIGSTOP), or lets it go on. */
  readonly suspend: (suspended: boolean) => void;
  readonly kill: () => Promise<void>;
}

type Started = { readonly ready: Server } | { readonly failed: GuardedProcess };

/** Starts an API server at a free port. */
export function startServer(settings: ServerSettings): Promise<Server> {
  return atFreePort((port) => launch(settings, port));
}

/** Restarts an API server at its port. */
export async function startServerAt(settings: ServerSettings, port: number): Promise<Server> {
  const started = await launch(settings, port);
  if ('ready' in started) return started.ready;
  throw new Error(`The API server ended at once:\n${started.failed.lastWords()}`);
}

async function launch(settings: ServerSettings, port: number): Promise<Started> {
  const { assets, folder, token } = settings;
  const certificates = join(folder, 'certificates');
  const program = startGuarded(
    join(assets, 'kube-apiserver'),
    [...flags(settings, port), `--cert-dir=${certificates}`],
    join(folder, 'kube-apiserver.log'),
  );
  const patiently = <T>(ask: () => Promise<T | undefined>): Promise<T | 'ended'> =>
    polled<T | 'ended'>(
      async () => (program.hasEnded() ? 'ended' : await ask()),
      () => `The API server is not ready:\n${program.lastWords()}`,
    );

  const ca = await patiently(async () => written(join(certificates, 'apiserver.crt')));
  if (ca === 'ended') return { failed: program };
  const requests = createClusterRequests(`https://127.0.0.1:${port}`, ca);
  for (const path of ['/readyz', '/api/v1/namespaces/default']) {
    const answer = await patiently(() => succeeds(requests, path, token));
    if (answer !== 'ended') continue;
    await requests.close();
    return { failed: program };
  }
  const kill = async (): Promise<void> => {
    await program.kill();
    await requests.close();
  };
  const suspend = (suspended: boolean): void => program.signal(suspended ? 'STOP' : 'CONT');
  return { ready: { port, ca, requests, suspend, kill } };
}

function flags({ etcd, flags: further }: ServerSettings, port: number): readonly string[] {
  return [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // It would publish its own address, which must not be a loopback address.
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--authorization-mode=RBAC',
    // No controller creates the default service accounts that the admission plugin requires.
    '--disable-admission-plugins=ServiceAccount',
    ...further,
  ];
}

/** Settles with the certificate once the file is complete. */
function written(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith('-----END CERTIFICATE-----\n') ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined: try again. */
async function succeeds(requests: ClusterRequests, path: string, token: string): Promise<true | undefined> {
  try {
    return (await requests.send(path, { token })).status === 200 ? true : undefined;
  } catch {
    return undefined;
  }
}
