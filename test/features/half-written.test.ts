import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mcpService, openGateway, policy, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

/** A settle time that no test waits for: only what was renamed into place counts. */
const forever = 3_600_000;

it('a half-written policy reaches no gateway, although it parses and names a tool that exists', async () => {
  await using running = await startWorld({}, { settle: forever });
  await running.write({ 'world.yaml': together(openGateway, mcpService('default/good')) });
  const node = running.node('default/gw');
  const before = await node.settled();

  const whole = policy('default/p', 'gw', 'me', '{ kind: tool, name: "default/good:secret-reader" }');
  const half = whole.slice(0, whole.indexOf('secret') + 'secret'.length);
  await writeFile(join(running.folder, 'policy.yaml'), `${half}" } }] }`);
  await running.applied();
  await appendFile(join(running.folder, 'policy.yaml'), '\n');
  await running.applied();
  expect(await node.settled()).toEqual(before);
  expect(await running.problems()).toEqual([]);

  await running.write({ 'policy.yaml': whole });
  expect(await node.settled()).not.toEqual(before);
  expect(JSON.stringify(await node.settled())).toContain('secret-reader');
});
