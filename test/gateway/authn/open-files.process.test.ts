import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { guideJwk } from '../../support/processes/guide.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const script = `
  import { closeSync, openSync, writeFileSync } from 'node:fs';
  import { openFileKeys } from './src/gateway/authn/local-keys.ts';
  const [path, jwk] = [process.env.KEYS, JSON.parse(process.env.JWK)];
  const write = (kid) => writeFileSync(path, JSON.stringify({ ...jwk, kid }));
  let now = 0;
  const log = { info() {}, warn() {} };
  write('old');
  const source = await openFileKeys(path, { clock: { now: () => now, monotonic: () => now }, log });
  const looked = async () => {
    now += 1_000;
    return (await source.keys()).kids.join();
  };
  write('newer');
  const taken = [];
  try {
    for (;;) taken.push(openSync('/dev/null'));
  } catch {}
  const without = await looked();
  for (const descriptor of taken) closeSync(descriptor);
  console.log(without, await looked());
`;

it('keys of a file that changed while there was no free descriptor are read once there is one', () => {
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', 'ulimit -n 128; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script],
    { env: { ...process.env, KEYS: join(temporaryFolder(), 'jwks.json'), JWK: JSON.stringify(guideJwk) } },
  );
  expect(`${stdout}${stderr}`).toBe('old newer\n');
});
