import { EventEmitter, once } from 'node:events';
import { watch } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KubeServer, Seen } from '../support/api-server/kube-server.ts';
import { type Connected, connect, echo, failureOf, get, kubeconfigFor, serve } from './kube-rig.ts';

interface WithPlugin extends Connected {
  readonly server: KubeServer;
  /** The number of runs of the plugin. */
  asked(): Promise<number>;
  /** Settles once the plugin has created a file of this name. */
  made(name: string): Promise<void>;
}

/** A connection whose user has a plugin beside the kubeconfig. */
async function withPlugin(script: string, answer: (request: Seen) => void): Promise<WithPlugin> {
  const server = await serve(answer);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin' };
  const access = await kubeconfigFor(server, { user: { exec } });
  const folder = dirname(access.path);
  const plugin = join(folder, 'plugin');
  await writeFile(plugin, `#!/bin/sh\ncd "$(dirname "$0")"\necho x >> asked\n${script}\n`);
  await chmod(plugin, 0o755);
  const asked = async (): Promise<number> => (await readFile(join(folder, 'asked'), 'utf8')).length / 2;
  const names = new Set<string | null>();
  const changed = new EventEmitter();
  const watcher = watch(folder, (_, name) => {
    names.add(name);
    changed.emit('name');
  });
  onTestFinished(() => watcher.close());
  const made = async (name: string): Promise<void> => {
    while (!names.has(name)) await once(changed, 'name');
  };
  return { server, asked, made, ...(await connect(access)) };
}

/** A script that writes a credential; the shell expands its token. */
function credential(token: string): string {
  const written = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status: { token } };
  return `cat <<END\n${JSON.stringify(written)}\nEND\n`;
}

describe('a credential plugin', () => {
  it('is run once for several requests, whatever the working folder', async () => {
    const { server, connection, asked } = await withPlugin(credential('from-a-plugin'), echo);
    await Promise.all([get(connection), get(connection)]);
    await get(connection);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer from-a-plugin'));
    expect(await asked()).toBe(1);
  });

  it('is run again after a 401', async () => {
    const counted = credential('token-$(grep -c x asked)');
    const { connection, asked } = await withPlugin(counted, (request) => {
      request.head(request.headers.authorization === 'Bearer token-2' ? 200 : 401);
      request.end();
    });
    expect((await get(connection)).status).toBe(401);
    expect((await get(connection)).status).toBe(200);
    expect(await asked()).toBe(2);
  });

  it('that fails is quoted in the error', async () => {
    const { connection } = await withPlugin('echo "please log in" >&2; exit 1', echo);
    const said = await failureOf(get(connection));
    expect(said).toMatch(
      /^the credentials of user "user" cannot be had from the plugin .*\/plugin: please log in; run it/,
    );
  });

  it('that writes no ExecCredential is not quoted', async () => {
    for (const written of ['{"token": secret', '{"secret": true}', 'secret']) {
      const { connection } = await withPlugin(`echo '${written}'`, echo);
      const said = await failureOf(get(connection));
      expect(said).toContain('what it wrote is no ExecCredential');
      expect(said).not.toContain('secret');
    }
  });

  it('that is not installed is named', async () => {
    const server = await serve(echo);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-plugin' };
    const { connection } = await connect(await kubeconfigFor(server, { user: { exec } }));
    expect(await failureOf(get(connection))).toContain('from the plugin no-such-plugin: it does not exist');
  });

  it('that hangs holds each request for 30 seconds, and is not run twice', async () => {
    // It ends when its folder is removed.
    const waiting = 'touch wait; while [ -e wait ]; do sleep 0.1; done; exit 1';
    const { server, connection, clock, asked, made } = await withPlugin(waiting, echo);
    const both = [failureOf(get(connection)), failureOf(get(connection))];
    await made('wait');
    clock.advance(30_000);
    const late = `${connection.server} did not answer within 30 seconds`;
    expect(await Promise.all(both)).toEqual([late, late]);
    expect(await asked()).toBe(1);
    expect(server.seen).toEqual([]);
  });
});
