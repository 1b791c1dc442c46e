import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** The packages, with a part of theirs, that a program loads. */
function loadedBy(program: string): string {
  const recording = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) });
    ${program};
    console.log([...loaded].join(' '));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', recording], { encoding: 'utf8' });
}

it('who does not connect pays for neither client-node nor undici', () => {
  const loaded = loadedBy("await import('./src/kube/kube.ts')");
  expect(loaded).toContain('src/kube/kube.ts');
  expect(loaded).not.toContain('undici');
  expect(loaded).not.toContain('client-node');
});

it('who connects with what stands in files pays for no client of an API of Kubernetes', () => {
  const loaded = loadedBy(`
    const { Identity } = await import('./src/kube/identity.ts');
    const { createConnection } = await import('./src/kube/connection.ts');
    const authProvider = { name: 'tokenFile', config: { tokenFile: 'package.json' } };
    const { headers } = await new Identity({ name: 'c' }, { name: 'u', authProvider }).prove();
    if (!headers.Authorization || !createConnection) throw new Error('nothing was proven')`);
  expect(loaded).toContain('client-node/dist/file_auth.js');
  expect(loaded).toContain('undici');
  expect(loaded).not.toContain('client-node/dist/gen/');
});
