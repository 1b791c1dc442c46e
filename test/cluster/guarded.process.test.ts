import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { polled } from '../support/cluster/poll.ts';
import { startGuarded } from '../support/cluster/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const support = new URL('../support/cluster/process.ts', import.meta.url);

describe('a guarded process', () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
  });

  it('is gone after a kill', async () => {
    const sleeper = startGuarded('/bin/sh', ['-c', 'echo $$; exec sleep 600'], join(folder, 'log'));
    const pid = await printedPid(join(folder, 'log'));
    expect(isAlive(pid)).toBe(true);
    await sleeper.kill();
    expect([isAlive(pid), sleeper.hasEnded()]).toEqual([false, true]);
  });

  it('is told apart from a running one when it ends by itself, with its last words', async () => {
    const brief = startGuarded('/bin/sh', ['-c', 'echo farewell; exit 3'], join(folder, 'log'));
    await polled(
      async () => brief.hasEnded() || undefined,
      () => 'It still runs.',
    );
    expect(brief.lastWords()).toBe('farewell\n');
    await brief.kill();
  });

  it('does not outlive who started it, not even a kill', async () => {
    const log = join(folder, 'log');
    const sleeper = ['/bin/sh', ['-c', 'echo $$; exec sleep 600'], log].map((value) => JSON.stringify(value));
    const program = `(await import(${JSON.stringify(support.href)})).startGuarded(${sleeper.join(', ')})`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const pid = await printedPid(log);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const gone = await polled(
      async () => !isAlive(pid) || undefined,
      () => `${pid} still runs.`,
    );
    expect(gone).toBe(true);
  });
});

function printedPid(log: string): Promise<number> {
  return polled(
    async () => {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      return text.endsWith('\n') ? Number(text) : undefined;
    },
    () => 'It printed nothing.',
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
