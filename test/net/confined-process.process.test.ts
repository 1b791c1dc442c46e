import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { type ConfinedProcess, type ProcessEnd, startConfined } from '../../src/net/confined-process.ts';

interface Played {
  readonly confined: ConfinedProcess;
  readonly messages: readonly unknown[];
  /** Resolves with its first message. */
  readonly first: Promise<unknown>;
}

function play(deed: string): Played {
  const messages: unknown[] = [];
  const { promise: first, resolve } = Promise.withResolvers<unknown>();
  const entry = new URL('./confined-entry.ts', import.meta.url);
  const confined = startConfined(entry, { old: 64, semiSpace: 2 }, (message: unknown) => {
    messages.push(message);
    resolve(message);
  });
  confined.send(deed);
  return { confined, messages, first };
}

it('all messages of a process arrive before its end', async () => {
  const { confined, messages } = play('say three things');
  expect(await confined.ended).toEqual({ kind: 'exit', code: 0 });
  expect(messages).toEqual([{ thing: 1 }, { thing: 2 }, { thing: 3 }]);
});

it('a process gets neither the environment nor the flags of its parent', async () => {
  vi.stubEnv('SECRET', 'x');
  vi.stubEnv('NODE_OPTIONS', '--trace-warnings');
  vi.stubEnv('NODE_COMPILE_CACHE', undefined);
  const { confined, first } = play('say what you have');
  vi.unstubAllEnvs();
  const { env, ...rest } = Object(await first);
  // Those of the channel.
  expect(Object.keys(env).filter((name) => !name.startsWith('NODE_CHANNEL_'))).toEqual([]);
  expect(rest).toMatchObject({ execArgv: ['--max-old-space-size=64', '--max-semi-space-size=2'], arguments: [] });
  confined.kill();
  expect(await confined.ended).toEqual({ kind: 'signal', signal: 'SIGKILL' });
});

it('where memory is short, a process is ended before its parent, and leaves no memory on the disk', async () => {
  const { confined, first } = play('say what you have');
  const { pid } = Object(await first);
  const own = readFileSync('/proc/self/oom_score_adj', 'utf8').trim();
  await vi.waitUntil(() => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8') === '1000\n', 10_000);
  expect(Number(own)).toBeLessThan(1000);
  await vi.waitUntil(() => readFileSync(`/proc/${pid}/coredump_filter`, 'utf8') === '00000000\n', 10_000);
  confined.kill();
  await confined.ended;
});

const ends: readonly [deed: string, end: ProcessEnd][] = [
  // A worker thread that does the same ends the process whose thread it is.
  ['grow one list', { kind: 'heap limit' }],
  ['crash', { kind: 'signal', signal: 'SIGSEGV' }],
  ['throw', { kind: 'exit', code: 1 }],
];
it.each(ends)('a process that is told to %s ends alone', async (deed, end) => {
  expect(await play(deed).confined.ended).toEqual(end);
});

it('the time and the memory of a process are known while it runs', async () => {
  const { confined, first } = play('work for ever');
  await first;
  const before = (await confined.processorTime()) ?? Number.NaN;
  await vi.waitUntil(async () => ((await confined.processorTime()) ?? Number.NaN) > before);
  const memory = (await confined.memory()) ?? Number.NaN;
  expect(memory).toBeGreaterThan(10_000_000);
  expect(memory).toBeLessThan(1_000_000_000);
  confined.kill();
  await confined.ended;
  expect(await confined.processorTime()).toBeUndefined();
  expect(await confined.memory()).toBeUndefined();
  // It has ended: there is nobody to get it.
  confined.send('crash');
});

const parent = fileURLToPath(new URL('./confined-parent.ts', import.meta.url));

it('without an open file that is left, no process is started, and none is killed', async () => {
  const shell = spawn('sh', ['-c', `ulimit -n 64; exec "$0" "$@"`, process.execPath, parent, 'files'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: shell.stdout });
  const [line] = await Promise.race([once(lines, 'line'), once(shell, 'exit')]);
  expect(JSON.parse(line)).toEqual({ kind: 'not started', message: expect.stringContaining('EMFILE') });
});

it('a process ends with its parent', async () => {
  const program = spawn(process.execPath, [parent, 'orphan'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: program.stdout }), 'line');
  const { pid }: { pid: number } = JSON.parse(line);
  program.kill('SIGKILL');
  await vi.waitUntil(() => !isAlive(pid), 10_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
