import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { day, type LastGoodRig, startLastGood } from '../../support/gateway/last-good-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { config, configOfTomorrow, target } from './resources.ts';

let clock: ManualClock;
let parent: string;
let folder: string;
let file: string;
beforeEach(async () => {
  clock = createManualClock();
  parent = temporaryFolder();
  folder = join(parent, 'state');
  file = join(folder, 'last-good.ndjson');
  const rig = await startLastGood({ folder, clock });
  rig.answer('Target', { resources: [target('a/x')] });
  rig.answer('Config', { resources: [config('a.p')] });
  await rig.state.stop();
});

/** Expects that a start has nothing in force, and one line with this reason. */
async function refused(reason: string, options: Partial<Parameters<typeof startLastGood>[0]> = {}): Promise<void> {
  const rig: LastGoodRig = await startLastGood({ folder, clock, ...options });
  expect([rig.store.config.targets.size, rig.store.config.rbacConfigs.size]).toEqual([0, 0]);
  expect(rig.events).toEqual(['refused']);
  expect(rig.log.lines).toMatchObject([{ level: 'warn', fields: { because: expect.stringContaining(reason) } }]);
}

/** Writes the file anew, with another header or other lines, and the digest that fits. */
function rewrite(change: { header?: object; lines?: (lines: readonly string[]) => readonly string[] }): void {
  const [header = '', ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const lines = (change.lines ?? ((same) => same))(rest.slice(0, -1));
  const text = [JSON.stringify({ ...JSON.parse(header), ...change.header }), ...lines]
    .map((line) => `${line}\n`)
    .join('');
  const end = ['end', lines.length, createHash('sha256').update(text).digest('hex')];
  writeFileSync(file, `${text}${JSON.stringify(end)}\n`);
}

describe('a folder', () => {
  it('that others may enter is refused', async () => {
    chmodSync(folder, 0o750);
    await refused(`${folder} is open to other users (mode 0750); run chmod 0700 on it`);
  });

  it('that is a symbolic link is refused', async () => {
    renameSync(folder, join(parent, 'elsewhere'));
    symlinkSync(join(parent, 'elsewhere'), folder);
    await refused('is a symbolic link; name the folder itself');
  });

  it('that is a file is refused', async () => {
    await refused('is no folder', { folder: file });
  });

  it('whose parent does not exist is refused', async () => {
    await refused('does not exist', { folder: join(parent, 'no', 'state') });
  });

  it('of another user is refused', async () => {
    // Only root may give things away; everybody else finds the root folder.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(folder, 65_534, 65_534);
    await refused('belongs to another user (uid ', { folder: isRoot ? folder : '/' });
  });
});

describe('a file', () => {
  it('that others may read is refused', async () => {
    chmodSync(file, 0o644);
    await refused('is open to other users (mode 0644)');
  });

  it('that is a symbolic link is refused, also to a file that would do', async () => {
    renameSync(file, join(parent, 'good'));
    symlinkSync(join(parent, 'good'), file);
    await refused('last-good.ndjson is a symbolic link');
  });

  it('that is a folder is refused', async () => {
    renameSync(file, join(parent, 'good'));
    mkdirSync(file);
    await refused('is no file');
  });

  it('that is too large is refused before it is read', async () => {
    truncateSync(file, 32 * 1024 * 1024 + 1);
    await refused('is larger than 33554432 bytes');
  });

  it.each<[string, (text: string) => string, string]>([
    ['empty', () => '', 'has a line that is no JSON'],
    ['something else', () => '{}\n', 'is no last-good state'],
    ['cut off within a line', (text) => text.slice(0, -1), 'is cut off'],
    ['cut off after a line', (text) => `${text.split('\n').slice(0, 2).join('\n')}\n`, 'is not complete'],
    ['without its first resource', (text) => text.replace(/\n.*/, ''), 'is not complete'],
    ['damaged in one character', (text) => text.replace('a.p', 'a.q'), 'is damaged'],
    ['with something after its end', (text) => `${text}[]\n`, 'is not complete'],
    ['twice', (text) => `${text}${text}`, 'is not complete'],
    ['deeper than any line', (text) => text.replace('[', '['.repeat(1_000)), 'is not complete'],
    ['of nothing but line breaks', () => '\n'.repeat(300_000), 'has more than 200000 resources'],
  ])('that is %s is refused', async (_, change, reason) => {
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    await refused(reason === 'is not complete' ? '' : reason);
  });
});

describe('the content of a file', () => {
  it('of another format version is refused', async () => {
    rewrite({ header: { version: 2 } });
    await refused('has the version "2", and 1 is the one known here');
  });

  it('that was saved in the future is refused', async () => {
    rewrite({ header: { savedAt: clock.now() + 1 } });
    await refused('was saved in the future, as this clock has it');
  });

  it.each([null, '1', 1.5, 1e300])('that was saved at %s is refused', async (savedAt) => {
    rewrite({ header: { savedAt } });
    await refused('does not say when it was saved');
  });

  it('that is as old as the maximum age is refused', async () => {
    clock.advance(day);
    await refused('was confirmed 86400 seconds ago');
  });

  it.each<[string, object]>([
    ['of another control plane', { controlPlane: 'http://kgateway:9978' }],
    ['received without TLS, when there is TLS now', { controlPlane: 'https://kgateway:9977' }],
    ['of another Gateway', { metadata: { role: 'mcp-kgateway-kube-gateway-api~default~other' } }],
    ['of another host name', { metadata: { alt_xds_hostname: 'mcp-gateway.default.svc.cluster.local' } }],
  ])('%s is refused', async (_, options) => {
    await refused('and this gateway is', options);
  });

  it('with a resource that the wire would refuse is refused as a whole', async () => {
    const { value } = configOfTomorrow('a.t', 'rule').resource ?? {};
    rewrite({ lines: (lines) => [...lines, JSON.stringify(['Config', 'a.t', value?.toString('base64')])] });
    await refused('Config "a.t" is not valid: it has a field that is not known here, number 9');
  });

  it.each<[string, unknown, string]>([
    ['of an unknown kind', ['Secret', 'a.p', ''], 'has a line that is no resource'],
    ['of four members', ['Config', 'a.r', '', ''], 'has a line that is no resource'],
    ['under another name', ['Target', 'a/z', 'CgNhL3g='], 'Target "a/z" is not valid'],
    ['in a loose encoding', ['Config', 'a.r', 'CgNhL3g'], 'in another encoding than base64'],
    ['a second time', ['Target', 'a/x', ''], 'has Target "a/x" twice'],
    ['called as what every object has', ['Config', '__proto__', ''], 'Config "__proto__" is not valid'],
  ])('with a resource %s is refused', async (_, line, reason) => {
    rewrite({ lines: (lines) => [...lines, JSON.stringify(line)] });
    await refused(reason);
  });
});
