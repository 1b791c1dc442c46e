import { join } from 'node:path';
import { openSecurity } from '../../../src/app/access/security.ts';
import { connectKube } from '../../../src/kube/kube.ts';
import type { KubeConnection } from '../../../src/kube/model.ts';
import { quickSettings } from '../../support/worlds/running-world.ts';
import { createBenchWorld } from '../servers/bench-world.ts';
import { measure } from '../servers/measured-server.ts';
import { startGatehouse } from '../servers/servers.ts';
import { account, audience, files, issuerUrl } from './credentials.ts';
import type { SecurityMode } from './secure-bench.ts';

/** Entry file of a process with one server: `server-process.ts <mode> <folder> <targets> <kubeconfig>`. */
const [argument = 'plaintext', folder = '', targets = '10', kubeconfig = ''] = process.argv.slice(2);

type Settings = Parameters<typeof openSecurity>[0];

function settingsOf(mode: Exclude<SecurityMode, 'plaintext'>): Settings {
  const xdsTls: Settings['xdsTls'] = {
    mode: 'on',
    minVersion: 'TLSv1.3',
    files: { cert: join(folder, files.cert), key: join(folder, files.key) },
  };
  if (mode === 'tls') return { ...quickSettings, xdsTls };
  const keys = mode === 'jwks' ? { location: join(folder, files.jwks), issuer: issuerUrl } : undefined;
  return {
    ...quickSettings,
    xdsTls,
    xdsAuth: { kind: 'required', tokens: { audience, keys }, certificates: undefined },
  };
}

/**
 * Starts the server of one mode and measures it as the parent process asks. What secures it is built as `serve` does; the
 * bindings are fixed, since the world of the bench has no annotations.
 */
async function serveSecurely(mode: SecurityMode): Promise<void> {
  const world = createBenchWorld('target', Number(targets));
  if (mode === 'plaintext') {
    measure(await startGatehouse(world));
    return;
  }
  const gateway = `${account.namespace}/${account.name}`;
  const bindings = { accountsOf: () => new Set([account.name]), gatewaysOf: () => [gateway] };
  const server = await startGatehouse(world, async (edges) => {
    const access = { by: 'kubeconfig', path: kubeconfig, context: undefined } as const;
    const connection: KubeConnection | undefined =
      mode === 'token-review' ? await connectKube(access, { ...edges, version: 'bench' }) : undefined;
    const { tls, auth } = await openSecurity(settingsOf(mode), { ...edges, connection, denied: () => {} });
    return { tls, auth: auth && { ...auth, bindings } };
  });
  measure(server);
}

await serveSecurely(argument as SecurityMode);
