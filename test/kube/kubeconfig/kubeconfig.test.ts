import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ClusterAccess } from '../../../src/kube/kube.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { connect, failureOf } from '../kube-rig.ts';

let folder = '';
beforeEach(async () => {
  folder = temporaryFolder();
});

interface Entries {
  readonly current?: string;
  /** Contexts by name, each with the server of its cluster; cluster and user have the context's name. */
  readonly contexts: Readonly<Record<string, string>>;
}

async function write(name: string, { current, contexts }: Entries): Promise<string> {
  const names = Object.keys(contexts);
  return writeText(
    name,
    JSON.stringify({
      'current-context': current,
      clusters: names.map((name) => ({ name, cluster: { server: contexts[name] } })),
      users: names.map((name) => ({ name, user: { token: 'secret' } })),
      contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    }),
  );
}

async function writeText(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** The server of a connection. */
async function serverOf(access: ClusterAccess): Promise<string> {
  return (await connect(access)).connection.server;
}

const file = (path: string, context?: string): ClusterAccess => ({ by: 'kubeconfig', path, context });

describe('a named kubeconfig', () => {
  it('selects its current context, or a named one', async () => {
    const path = await write('config', { current: 'b', contexts: { a: 'https://a:1', b: 'https://b:2/prefix' } });
    expect(await serverOf(file(path))).toBe('https://b:2');
    expect(await serverOf(file(path, 'a'))).toBe('https://a:1');
  });

  it('needs a context', async () => {
    const path = await write('config', { contexts: { a: 'https://a:1', b: 'https://b:2' } });
    expect(await failureOf(serverOf(file(path)))).toBe(
      `the kubeconfig ${path} has no current-context: name a context of it; it has a, b`,
    );
    expect(await failureOf(serverOf(file(path, 'c')))).toBe(
      `${path} has no context "c" that names a cluster; it has a, b`,
    );
  });

  it('has to exist', async () => {
    const path = join(folder, 'config');
    expect(await failureOf(serverOf(file(path)))).toBe(`no kubeconfig: ${path} does not exist; name one that does`);
    expect(await failureOf(serverOf(file(folder)))).toBe(`the kubeconfig ${folder} cannot be read: it is a folder`);
  });

  it.each([
    ['nothing', ''],
    ['a string', 'secret'],
    ['broken YAML', 'users:\n- name: me\n  user:\n    token: "secret\n'],
    ['an invalid block scalar', 'users:\n- name: me\n  user:\n    token: |secret\n'],
    ['an alias without an anchor', 'users:\n- name: me\n  user:\n    token: *secret\n'],
    ['an invalid escape', 'users:\n- name: me\n  user: { token: \\secret }}\n'],
  ])('is rejected without a quotation if it is %s', async (_, text) => {
    const path = await writeText('config', text);
    const said = await failureOf(serverOf(file(path)));
    expect(said).toContain(path);
    expect(said).not.toContain('secret');
    expect(said).not.toContain('\n');
  });
});

describe('a context', () => {
  const described = (cluster: unknown, context: unknown, user: unknown = {}): Promise<string> =>
    writeText(
      'config',
      JSON.stringify({
        'current-context': 'here',
        clusters: [{ name: 'cluster', cluster }],
        users: [{ name: 'user', user }],
        contexts: [{ name: 'here', context }],
      }),
    );
  const whole = { cluster: 'cluster', user: 'user' };

  it.each([
    ['a cluster', { server: 'https://a' }, { user: 'user' }, 'has no context "here" that names a cluster'],
    ['an existing cluster', { server: 'https://a' }, { cluster: 'x', user: 'user' }, 'names the cluster "x"'],
    ['a server', {}, whole, 'which has no entry with a server'],
    ['a user', { server: 'https://a' }, { cluster: 'cluster' }, 'names no user'],
    ['an existing user', { server: 'https://a' }, { cluster: 'cluster', user: 'x' }, 'names the user "x"'],
    ['a server URL', { server: 'a:6443' }, whole, 'is no URL with https: "a:6443"'],
    ['a server with TLS', { server: 'http://a:8080' }, whole, 'insecure-skip-tls-verify'],
    ['a supported proxy', { server: 'https://a', 'proxy-url': 'socks4://b' }, whole, 'proxy-url'],
  ])('has to name %s', async (_, cluster, context, said) => {
    expect(await failureOf(serverOf(file(await described(cluster, context))))).toContain(said);
  });

  it.each([
    ['a name that is no string', { as: true }, '"as"'],
    ['groups', { as: 'bob', 'as-groups': ['viewers'] }, '"as-groups"'],
    ['more about a user', { as: 'bob', 'as-user-extra': { reason: ['x'] } }, '"as-user-extra"'],
  ])('may not name a user who impersonates with %s, which is not implemented', async (_, user, said) => {
    const path = await described({ server: 'https://a' }, whole, { token: 't', ...user });
    expect(await failureOf(serverOf(file(path)))).toContain(said);
  });

  it('may have names that look like numbers', async () => {
    const cluster = '- name: 12\n  cluster: { server: https://a }';
    const text = `current-context: 12\nclusters:\n${cluster}\nusers: [{ name: 0.10 }]\ncontexts: [{ name: 12, context: { cluster: 12, user: 0.10 } }]\n`;
    expect(await serverOf(file(await writeText('config', text)))).toBe('https://a');
  });

  it('may name a server without TLS if that is set explicitly', async () => {
    const path = await described({ server: 'http://127.0.0.1:8080', 'insecure-skip-tls-verify': true }, whole);
    expect(await serverOf(file(path))).toBe('http://127.0.0.1:8080');
  });

  it('does not log credentials in its URL', async () => {
    const path = await described({ server: 'https://me:secret@a:6443' }, whole);
    expect(await serverOf(file(path))).toBe('https://a:6443');
  });
});

describe('a named context', () => {
  const context = (name: string, environment: Readonly<Record<string, string>>): ClusterAccess => ({
    by: 'context',
    context: name,
    environment,
  });

  it('is looked up in all files of $KUBECONFIG: the first match counts, and no current context', async () => {
    const first = await write('first', { current: 'a', contexts: { a: 'https://a:1', b: 'https://b:1' } });
    const second = await write('second', { current: 'b', contexts: { b: 'https://b:2', c: 'https://c:2' } });
    const KUBECONFIG = [first, join(folder, 'missing'), second].join(delimiter);
    expect(await serverOf(context('b', { KUBECONFIG }))).toBe('https://b:1');
    expect(await serverOf(context('c', { KUBECONFIG }))).toBe('https://c:2');
    expect(await failureOf(serverOf(context('d', { KUBECONFIG })))).toContain('it has a, b, c');
    expect(await failureOf(serverOf(context('', { KUBECONFIG })))).toContain('no context ""');
  });

  it('is looked up in ~/.kube/config when $KUBECONFIG is not set', async () => {
    await mkdir(join(folder, '.kube'));
    await write('.kube/config', { current: 'a', contexts: { a: 'https://a:1', b: 'https://b:1' } });
    expect(await serverOf(context('b', { HOME: folder, KUBECONFIG: '' }))).toBe('https://b:1');
    expect(await failureOf(serverOf(context('b', { HOME: '/nowhere' })))).toContain(
      '/nowhere/.kube/config does not exist',
    );
  });
});
