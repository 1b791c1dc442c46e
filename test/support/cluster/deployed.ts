import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

/** The manifests of `deploy/`, as files and as kubectl renders them. */

/** The folder `deploy`. */
export const deploy: string = fileURLToPath(new URL('../../../deploy', import.meta.url));

/** An object to apply; further fields depend on its kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Role extends Manifest {
  readonly rules: readonly PolicyRule[];
}

interface Binding extends Manifest {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

interface ServiceManifest extends Manifest {
  readonly spec: {
    readonly type?: string;
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort: number | string;
      readonly appProtocol?: string;
    }[];
  };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly securityContext: object;
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsUser: number };
  readonly topologySpreadConstraints: readonly {
    readonly topologyKey: string;
    readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  }[];
  readonly containers: readonly [Container];
}

interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: object;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
}

interface Kinds {
  readonly Deployment: Deployment;
  readonly Service: ServiceManifest;
  readonly Role: Role;
  readonly ClusterRole: Role;
  readonly RoleBinding: Binding;
  readonly ClusterRoleBinding: Binding;
}

/** The objects of a file or a rendering. */
export interface Manifests {
  readonly all: readonly Manifest[];
  of<K extends keyof Kinds>(kind: K): readonly Kinds[K][];
  /** The only object of the kind; throws if there is not exactly one. */
  only<K extends keyof Kinds>(kind: K): Kinds[K];
}

/** The objects of files below `deploy`. */
export function shipped(...files: readonly string[]): Manifests {
  return manifests(files.map((file) => readFileSync(join(deploy, file), 'utf8')).join('\n---\n'));
}

/** The objects that `kubectl kustomize` renders from a folder. */
export function rendered(kubectl: string, folder: string): Manifests {
  return manifests(execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8', stdio: 'pipe' }));
}

/** The text of a kustomization in another folder with folders of `deploy` as resources. */
export function overlayText(
  folder: string,
  resources: readonly string[],
  components: readonly string[],
  more = '',
): string {
  const list = (names: readonly string[]): string =>
    JSON.stringify(names.map((name) => relative(folder, join(deploy, name))));
  return `resources: ${list(resources)}\ncomponents: ${list(components)}\n${more}\n`;
}

/** Every folder below `deploy` that kustomize can build; components are not built on their own. */
export function kustomizations(): readonly string[] {
  return readdirSync(deploy, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(^|\/)(kustomization\.ya?ml|Kustomization)$/.test(file))
    .filter((file) => shipped(file).all[0]?.kind === 'Kustomization')
    .map((file) => dirname(file));
}

/** The objects of a YAML stream. */
export function manifests(text: string): Manifests {
  const all: readonly Manifest[] = parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS();
  });
  const of = <K extends keyof Kinds>(kind: K): readonly Kinds[K][] =>
    all.filter((manifest): manifest is Kinds[K] => manifest.kind === kind);
  return {
    all,
    of,
    only: (kind) => {
      const [first, ...more] = of(kind);
      if (first === undefined || more.length > 0) throw new Error(`not one ${kind}, but ${of(kind).length}`);
      return first;
    },
  };
}
