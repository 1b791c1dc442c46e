import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** The output and the exit code of a kubectl run. */
export interface KubectlRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl without the kubeconfig and the cache of the current user. */
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
  // EPIPE of a kubectl that exits without reading standard input; the exit code reports the failure.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code: child.exitCode, stdout, stderr };
}
