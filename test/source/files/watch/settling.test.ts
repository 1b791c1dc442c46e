import { appendFileSync, linkSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../../../src/source/files/watch/arrivals.ts';
import { fingerprintOf, readManifestFile } from '../../../../src/source/files/watch/read-file.ts';
import { createManualClock, type ManualClock } from '../../../support/edges/manual-clock.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { type FileRig, save, startFiles } from '../file-rig.ts';
import { documents, namespaceText, serviceText } from '../manifests.ts';

/** Files that have to stand still for a second, and a clock that only the test advances. */
interface SettleRig {
  readonly folder: string;
  readonly files: FileRig;
  readonly clock: ManualClock;
  /** Lets the debounce of the last change end, and settles after the scan. */
  scan(): Promise<void>;
  /** Lets this time pass, and settles after the scan that it causes. */
  wait(milliseconds: number): Promise<void>;
}

/** @param prepare writes the files of the start, more than a second before it */
async function startSettling(prepare: (folder: string) => void = () => undefined): Promise<SettleRig> {
  const folder = temporaryFolder();
  prepare(folder);
  const clock = createManualClock(Date.now() + 60_000);
  const files = await startFiles([folder], { clock, settle: 1000 });
  const wait = async (milliseconds: number): Promise<void> => {
    const scanned = files.scanned();
    clock.advance(milliseconds);
    await scanned;
  };
  const scan = async (): Promise<void> => {
    // The kernel has queued the events of all changes: they are read within these turns of the event loop.
    await setImmediate();
    await setImmediate();
    await wait(25);
  };
  // Everything is scanned once more when the watch has begun.
  await scan();
  return { folder, files, clock, scan, wait };
}

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  gatewayClassName: mcp
  listeners:
  - name: mcp
    port: 80
    protocol: kgateway.dev/mcp
    allowedRoutes:
      namespaces:
        from: Selector
        selector:
          matchLabels:
            team: red
`;

const policy = `apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: {name: p}
spec:
  targetRefs: [{name: gw}]
  rules:
  - matches: [{type: JWT, jwt: {claim: sub, value: me}}]
    resource:
      kind: tool
      name: default/good:secret`;

/** A file that is half written, and its other half. */
const halves: readonly (readonly [what: string, half: string, rest: string])[] = [
  ['a name that is cut short', policy, '-reader\n'],
  ['a rule without the field that makes it invalid', `${policy}-reader\n`, '    action: Deny\n'],
  ['a selector without its last label', gateway, '            stage: test\n'],
  ['a listener without the field that drops it', gateway, '    hostname: example.com\n'],
  ['a Namespace without its label', namespaceText('red').replace('{}\n', '\n'), '    team: blue\n'],
  ['a file without its second document', serviceText('a'), `---\n${serviceText('b')}`],
  ['no content', '', serviceText('a')],
];

describe('a file that is written in place', () => {
  it.each(halves)(
    'counts once it has stood still for a second, and not before, since it might widen access: %s',
    async (_, half, rest) => {
      const { folder, files, scan, wait, clock } = await startSettling((to) => save(to, 'a.yaml', serviceText('old')));
      const before = [...files.resources.values()];
      save(folder, 'a.yaml', half);
      await scan();
      clock.advance(900);
      appendFileSync(join(folder, 'a.yaml'), rest);
      await scan();
      clock.advance(900);
      expect([...files.resources.values()]).toEqual(before);
      expect(files.all).toHaveLength(1);
      expect(files.work().reads).toBe(1);
      await wait(100);
      expect(files.resources.has('Service default/old')).toBe(false);
      expect(files.all).toHaveLength(2);
      expect(files.problems().filter((problem) => problem.includes('keeps changing'))).toEqual([]);
    },
  );

  it('counts as little when it is new, when it has a second name, and while it is empty', async () => {
    const { folder, files, scan, wait } = await startSettling();
    save(folder, 'new.yaml', serviceText('new'));
    save(folder, 'first', serviceText('linked'));
    linkSync(join(folder, 'first'), join(folder, 'linked.yaml'));
    save(folder, 'moved', '');
    renameSync(join(folder, 'moved'), join(folder, 'moved.yaml'));
    await scan();
    expect(files.work().reads).toBe(0);
    await wait(1000);
    expect(files.work().reads).toBe(3);
    expect([...files.resources.keys()].sort()).toEqual(['Service default/linked', 'Service default/new']);
  });

  it('may be replaced or deleted meanwhile', async () => {
    const { folder, files, scan, clock } = await startSettling((to) => save(to, 'a.yaml', serviceText('a', 1)));
    save(folder, 'a.yaml', 'kind: [');
    save(folder, 'b.yaml', serviceText('b'));
    await scan();
    save(folder, 'whole', serviceText('a', 2));
    renameSync(join(folder, 'whole'), join(folder, 'a.yaml'));
    unlinkSync(join(folder, 'b.yaml'));
    await scan();
    expect(files.port('default/a')).toBe(2);
    expect(files.problems()).toEqual([]);
    // The periodic scan: nothing is waited for.
    expect(clock.waiting()).toHaveLength(1);
  });

  it('is reported once when it never stands still, and keeps its objects', async () => {
    const { folder, files, scan, wait, clock } = await startSettling((to) => save(to, 'a.yaml', serviceText('a', 1)));
    for (let port = 2; port <= 20; port += 1) {
      save(folder, 'a.yaml', serviceText('a', port));
      await scan();
      clock.advance(900);
    }
    expect(files.port('default/a')).toBe(1);
    expect(files.problems()).toEqual([expect.stringContaining('The file keeps changing: write it under another name')]);
    expect(files.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await wait(100);
    expect(files.port('default/a')).toBe(20);
    expect(files.problems()).toEqual([]);
  });
});

it.each([
  ['forward', 86_400_000],
  ['back', -86_400_000],
])(
  'a file that is written in place counts after a second of its own, also when the clock is set %s by a day',
  async (_, day) => {
    const { folder, files, scan, wait, clock } = await startSettling((to) => save(to, 'a.yaml', serviceText('a', 1)));
    save(folder, 'a.yaml', serviceText('a', 2));
    await scan();
    clock.jump(day);
    // With each scan of others it is asked for when the first one is due.
    for (const name of ['b', 'c', 'd']) {
      save(folder, `${name}.yaml`, serviceText(name));
      await scan();
    }
    expect(files.port('default/a')).toBe(1);
    expect(files.problems()).toEqual([]);
    await wait(1000);
    expect(files.port('default/a')).toBe(2);
  },
);

describe('a file that may be half written, although nothing was written where it is', () => {
  it('waits in a folder that took the place of one in which it was deleted', async () => {
    const { folder, files, scan, wait } = await startSettling((to) => save(to, 'a.yaml', serviceText('a', 1)));
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    save(folder, 'a.yaml', serviceText('a', 2));
    await scan();
    expect(files.work().reads).toBe(1);
    expect(files.port('default/a')).toBe(1);
    await wait(1000);
    expect(files.port('default/a')).toBe(2);
  });

  it('waits behind a link that was replaced', async () => {
    const { folder, files, scan, wait } = await startSettling((to) => {
      for (const release of ['1', '2']) mkdirSync(join(to, release));
      save(join(to, '1'), 'a', serviceText('a', 1));
      symlinkSync('1', join(to, 'current'));
      symlinkSync('current/a', join(to, 'a.yaml'));
    });
    save(join(folder, '2'), 'a', serviceText('a', 2));
    symlinkSync('2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    await scan();
    expect(files.port('default/a')).toBe(1);
    await wait(1000);
    expect(files.port('default/a')).toBe(2);
  });
});

describe('a file that is renamed into place', () => {
  it('counts at once, new or not, and however it was written before', async () => {
    const { folder, files, scan } = await startSettling((to) => save(to, 'a.yaml', serviceText('a', 1)));
    for (const [name, port] of [
      ['a', 2],
      ['b', 3],
    ] as const) {
      save(folder, `.${name}.part`, serviceText(name, 1));
      save(folder, `.${name}.part`, serviceText(name, port));
      renameSync(join(folder, `.${name}.part`), join(folder, `${name}.yaml`));
      await scan();
      expect(files.port(`default/${name}`)).toBe(port);
    }
  });

  it('and is written on there has to stand still again', async () => {
    const { folder, files, scan, wait } = await startSettling();
    save(folder, 'part', serviceText('a', 1));
    renameSync(join(folder, 'part'), join(folder, 'a.yaml'));
    appendFileSync(join(folder, 'a.yaml'), '---\n');
    await scan();
    expect(files.work().reads).toBe(0);
    await wait(1000);
    expect(files.port('default/a')).toBe(1);
  });

  it('counts at once by the link to the folder of a mounted ConfigMap', async () => {
    const { folder, files, scan } = await startSettling((to) => {
      mkdirSync(join(to, '..1'));
      save(join(to, '..1'), 'a.yaml', serviceText('a', 1));
      symlinkSync('..1', join(to, '..data'));
      symlinkSync('..data/a.yaml', join(to, 'a.yaml'));
    });
    mkdirSync(join(folder, '..2'));
    save(join(folder, '..2'), 'a.yaml', serviceText('a', 2));
    symlinkSync('..2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    await scan();
    expect(files.port('default/a')).toBe(2);
  });
});

describe('a rename', () => {
  it('is not believed in a turn of the event loop before which the kernel may have dropped events', async () => {
    const arrivals = new Arrivals();
    arrivals.record('a.yaml', 'rename');
    for (let at = 0; at < 4095; at += 1) arrivals.record(`${at % 2}.txt`, 'change');
    expect(arrivals.has('a.yaml')).toBe(true);
    arrivals.record('0.txt', 'change');
    arrivals.record('b.yaml', 'rename');
    expect(['a.yaml', 'b.yaml'].map((name) => arrivals.has(name))).toEqual([false, false]);
    await setImmediate();
    arrivals.record('b.yaml', 'rename');
    expect(['a.yaml', 'b.yaml'].map((name) => arrivals.has(name))).toEqual([false, true]);
    expect(arrivals.take('b.yaml')).toBe(true);
    expect(arrivals.has('b.yaml')).toBe(false);
  });

  it('is believed beside others that go on without an end, and of which nobody asks', async () => {
    const arrivals = new Arrivals();
    arrivals.record('a.yaml', 'rename');
    for (let turn = 0; turn < 40; turn += 1) {
      for (let at = 0; at < 1000; at += 1) arrivals.record(`${turn * 1000 + at}.txt`, 'rename');
      arrivals.record('a.yaml', 'rename');
      await setImmediate();
    }
    expect(arrivals.has('a.yaml')).toBe(true);
    expect(['0.txt', '39999.txt'].map((name) => arrivals.has(name))).toEqual([false, true]);
  });
});

describe('at the start', () => {
  it('a file that was just written is waited for, and nothing is synced before', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', documents(serviceText('a'), serviceText('b')));
    const clock = createManualClock();
    const files = await startFiles([folder], { clock, settle: 1000 });
    expect(files.all).toEqual([
      { changes: [], since: expect.any(Number), synced: false, unlistedNamespaces: 'unknown' },
    ]);
    clock.advance(1000);
    await files.until(() => files.synced);
    expect(files.resources.size).toBe(2);
    expect(files.unlisted).toBe('named');
  });
});

it('a file that is written while it is read does not count', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.yaml');
  save(folder, 'a.yaml', 'a: 1\n');
  const writer = {
    ...systemClock,
    now: () => {
      appendFileSync(file, 'b: 2\n');
      return systemClock.now();
    },
  };
  const looked = fingerprintOf(statSync(file, { bigint: true }));
  expect(await readManifestFile(file, looked, writer)).toEqual({ kind: 'torn' });
});
