import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { deploy, type Manifests, manifests } from './deployed.ts';

/**
 * The path of helm: in `HELM_BIN`, else the one that `bash test/helm/build` builds. If neither exists, prints how to build it
 * and returns undefined, for `describe.skipIf(…)`.
 */
export function helmProgram(): string | undefined {
  const { HELM_BIN: named, XDG_CACHE_HOME: cache } = process.env;
  const script = readFileSync(new URL('../../helm/build', import.meta.url), 'utf8');
  const version = /^version=(v[0-9.]+)$/m.exec(script)?.[1] ?? '';
  const folder = named || join(cache || join(homedir(), '.cache'), 'gatehouse-helm', version);
  if (existsSync(join(folder, 'helm'))) return join(folder, 'helm');
  process.stderr.write('Tests of the Helm chart are skipped: `bash test/helm/build` builds helm, once.\n');
  return undefined;
}

/** The chart's folder. */
export const chart: string = join(deploy, 'helm/gatehouse');

/** The result of a command of helm; never throws when helm refuses. */
export interface HelmResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export function helm(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): HelmResult {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) throw error;
  return { ok: status === 0, stdout, stderr };
}

/** The objects that `helm template` renders, with the CRDs. */
export function templated(program: string, namespace: string, ...flags: readonly string[]): Manifests {
  const args = ['template', 'gatehouse', chart, '--include-crds', '--namespace', namespace, ...flags];
  const { ok, stdout, stderr } = helm(program, args);
  if (!ok) throw new Error(stderr);
  return manifests(stdout);
}
