import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Returns the URLs of the modules that a program loads. */
function loadedBy(program: string): string {
  const recording = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) });
    ${program};
    console.log([...loaded].join(' '));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', recording], { encoding: 'utf8' });
}

it('the front door alone loads neither client-node nor undici', () => {
  const loaded = loadedBy("await import('./src/kube/kube.ts')");
  expect(loaded).toContain('src/kube/kube.ts');
  expect(loaded).not.toContain('undici');
  expect(loaded).not.toContain('client-node');
});

it('a connection with credentials in files loads no generated client of client-node', () => {
  const loaded = loadedBy(`
    const { CredentialProvider } = await import('./src/kube/credential-provider.ts');
    const { createConnection } = await import('./src/kube/connection.ts');
    const authProvider = { name: 'tokenFile', config: { tokenFile: 'package.json' } };
    const provider = new CredentialProvider({ cluster: { name: 'c' }, user: { name: 'u', authProvider } });
    const { headers } = await provider.requestOptions();
    if (!headers.Authorization || !createConnection) throw new Error('no token')`);
  expect(loaded).toContain('client-node/dist/file_auth.js');
  expect(loaded).toContain('undici');
  expect(loaded).not.toContain('client-node/dist/gen/');
});
