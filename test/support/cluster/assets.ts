import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const programs = ['etcd', 'kube-apiserver', 'kubectl'] as const;

/**
 * The folder of etcd, kube-apiserver and kubectl: `KUBEBUILDER_ASSETS`, else the one that `npm run envtest` fills. If
 * neither exists, prints how to build them and returns undefined, for `describe.skipIf(…)`.
 *
 * @throws if `KUBEBUILDER_ASSETS` names a folder without them
 */
export function kubeAssets(): string | undefined {
  const { KUBEBUILDER_ASSETS: named, XDG_CACHE_HOME: cache } = process.env;
  if (named !== undefined && named !== '') {
    const missing = programs.find((program) => !isExecutable(join(named, program)));
    if (missing === undefined) return named;
    throw new Error(`KUBEBUILDER_ASSETS is ${named}, where no ${missing} is: put it there, or unset the variable.`);
  }
  const folder = join(cache || join(homedir(), '.cache'), 'gatehouse-envtest', envtestVersion());
  if (programs.every((program) => isExecutable(join(folder, program)))) return folder;
  process.stderr.write('Tests on a real API server are skipped: `npm run envtest` builds one, once.\n');
  return undefined;
}

/** The version of Kubernetes that `test/envtest` builds. */
export function envtestVersion(): string {
  const module = readFileSync(new URL('../../envtest/go.mod', import.meta.url), 'utf8');
  const found = /^\s*k8s\.io\/kubernetes (v[0-9.]+)/m.exec(module)?.[1];
  if (found === undefined) throw new Error('test/envtest/go.mod names no version of k8s.io/kubernetes.');
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
