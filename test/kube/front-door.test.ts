import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('who does not connect pays for neither client-node nor undici', () => {
  // Both end in undici, which is CommonJS, so that what was loaded is on record.
  const loaded = (start: string): string =>
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `${start}; console.log(Object.keys((await import('node:module')).Module._cache).join())`,
      ],
      { encoding: 'utf8' },
    );
  expect(loaded("await import('./src/kube/connection.ts')")).toContain('undici');
  expect(loaded("await import('./src/kube/kube.ts')")).not.toContain('undici');
});
