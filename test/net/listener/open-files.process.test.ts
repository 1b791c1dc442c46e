import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const script = `
  import { maxOpenFiles } from './src/net/listener/open-files.ts';
  console.log(maxOpenFiles(), process.report.excludeNetwork);
`;

it('the limit of open files is the one of the operating system', () => {
  const { stdout } = spawnSync('sh', [
    '-c',
    'ulimit -n 512; exec "$0" --input-type=module-typescript -e "$1"',
    process.execPath,
    script,
  ]);
  expect(String(stdout)).toBe('512 false\n');
});
