import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a run of kubectl printed, and how it ended. */
export interface KubectlRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl with nothing of this machine's user: neither its settings nor its cache. */
export async function runKubectl(
  program: string,
  folder: string,
  args: readonly string[],
  stdin = '',
): Promise<KubectlRun> {
  const child = spawn(program, [`--cache-dir=${join(folder, 'kubectl')}`, ...args], {
    env: { HOME: folder, PATH: process.env['PATH'] ?? '' },
    stdio: 'pipe',
  });
  const ended = once(child, 'close');
  // A kubectl that ends without reading breaks the pipe; its exit code says more.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code: child.exitCode, stdout, stderr };
}
