import { afterEach, expect, it, vi } from 'vitest';
import type { Clock } from '../../../../src/edges.ts';
import { readFilesOnce } from '../../../../src/source/source.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { startedProcesses } from '../../../support/processes/started-processes.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { documents, keysText, serviceText } from '../manifests.ts';

const { execPath } = process;

/** What Node starts instead of itself, which the operating system refuses, as it does beyond `pids.max`. */
const refused = '/no/such/node';

afterEach(() => {
  process.execPath = execPath;
});

let retries = 0;

/** What is tried again after 5 s is tried again at once. */
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + 1_000,
  after: (delay, run) => {
    if (delay !== 5_000) return systemClock.after(delay, run);
    retries += 1;
    return systemClock.after(10, run);
  },
};

/** Waits until a process was refused, and asked for again, and refused again. */
async function refusedTwice(): Promise<void> {
  const before = retries;
  await vi.waitUntil(() => retries > before + 1, 10_000);
}

const large = (port: number): string => documents(serviceText('large', port), `# ${'x'.repeat(10_000)}\n`);

it.each([
  ['is told of later', refused],
  ['is thrown', '/dev/null/node'],
  ['is an early end', '/bin/false'],
])(
  'a large file is read once there is a process, holds up no small one, and one line says so, where the refusal %s',
  async (_, program) => {
    const folder = temporaryFolder();
    save(folder, 'large.yaml', large(1));
    const files = await startFiles([folder], { clock });
    await files.until(() => files.port('default/large') === 1);
    process.execPath = program;
    save(folder, 'large.yaml', large(2));
    await refusedTwice();
    save(folder, 'small.yaml', serviceText('small', 3));
    await files.until(() => files.port('default/small') === 3);
    expect(files.port('default/large')).toBe(1);
    process.execPath = execPath;
    await files.until(() => files.port('default/large') === 2);
    const lines = files.log.lines.filter(({ message }) => message === 'large files are not read, and tried again');
    expect(lines).toHaveLength(1);
  },
);

it('a large file that is deleted, or made small, while there is no process waits for none', async () => {
  const folder = temporaryFolder();
  const files = await startFiles([folder], { clock });
  process.execPath = refused;
  save(folder, 'large.yaml', large(1));
  await refusedTwice();
  save(folder, 'large.yaml', serviceText('large', 4));
  await files.until(() => files.port('default/large') === 4);
});

it('a text that was replaced while there was no process never counts', async () => {
  const folder = temporaryFolder();
  save(folder, 'large.yaml', large(1));
  const files = await startFiles([folder], { clock });
  await files.until(() => files.port('default/large') === 1);
  process.execPath = refused;
  save(folder, 'large.yaml', large(2));
  await refusedTwice();
  const reads = files.work().reads;
  save(folder, 'large.yaml', large(3));
  await vi.waitUntil(() => files.work().reads > reads, 10_000);
  await refusedTwice();
  process.execPath = execPath;
  const seen = new Set<number | undefined>();
  await files.until(() => {
    seen.add(files.port('default/large'));
    return seen.has(3);
  });
  expect([...seen]).toEqual([1, 3]);
});

it('large files whose processes were killed are read again, however many they are', async () => {
  const folder = temporaryFolder();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const waits: (() => void)[] = [];
  let isKilling = true;
  const killing: Clock = {
    ...clock,
    after(delay, run) {
      // Of the wait for the file, and of the first look at each process, once it runs.
      if (delay === 250 && isKilling) for (const pid of startedProcesses()) process.kill(pid, 'SIGKILL');
      if (delay !== 60_000) return clock.after(delay, run);
      waits.push(run);
      return () => undefined;
    },
  };
  const files = await startFiles([folder], { clock: killing });
  for (const name of names) save(folder, `${name}.yaml`, documents(serviceText(name, 1), keysText(20_000)));
  await vi.waitUntil(() => waits.length === names.length, 30_000);
  expect(files.log.lines.map(({ message }) => message).join()).toContain('was killed, as it is where memory is short');
  isKilling = false;
  for (const run of waits) run();
  await files.until(() => names.every((name) => files.port(`default/${name}`) === 1));
});

it('a large file that is read once, by a command, is one that does not parse', async () => {
  const folder = temporaryFolder();
  save(folder, 'large.yaml', documents(serviceText('large', 1), `# ${'x'.repeat(600_000)}\n`));
  process.execPath = refused;
  const read = { roots: [folder], namespaces: [], readStdin: () => Promise.resolve(''), clock };
  const { diagnostics, batch } = await readFilesOnce(read);
  expect(batch.changes).toEqual([]);
  const message = expect.stringMatching(/^Not parsed, because the operating system starts no process .*ulimit -n\)\. /);
  expect(diagnostics).toMatchObject([{ severity: 'error', message }]);
});
