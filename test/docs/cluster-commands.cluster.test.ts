import { execFile } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helmProgram } from '../support/cluster/helm.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { nodeFlags } from '../support/processes/node-flags.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { pageText } from './page-runner.ts';

/** Every command for a cluster, or for images, that a page names: it runs here, or the table says why not. */
const pages = [
  'README.md',
  'deploy/README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const noPods = 'no controller and no node runs pods here';
const noEngine = 'no container engine and no registry of images is here; test/deploy/images.test.ts holds the names';

/** Commands that run in another form, or not at all. The rest runs as the pages have it. */
const exceptions: Readonly<Record<string, { readonly instead?: string; readonly because: string }>> = {
  'kubectl apply --server-side -f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/standard-install.yaml':
    {
      instead: `kubectl apply --server-side -f ${resolve('test/envtest/gateway-api-v1.6.1.yaml')}`,
      because: 'nothing is fetched from other hosts; the file has the CRDs of that release',
    },
  'helm install gatehouse deploy/helm/gatehouse -n kgateway-system --create-namespace': {
    because: 'it is in place of the command before; deploy/README.md has it after uninstalling',
  },
  'kubectl apply --server-side -k deploy/namespaced': {
    instead: 'helm uninstall gatehouse -n kgateway-system && kubectl apply --server-side -k deploy/namespaced',
    because: 'a cluster has one variant',
  },
  'kubectl apply --server-side -k my-gatehouse': {
    instead: 'kubectl apply --server-side --dry-run=server -k deploy',
    because: 'test/deploy/readme.process.test.ts renders the overlays of the page',
  },
  'kubectl apply -k deploy/monitoring': {
    instead: 'kubectl kustomize deploy/monitoring',
    because: 'the CRDs of the Prometheus operator are not here; test/deploy/monitoring.test.ts reads the objects',
  },
  'kubectl -n kgateway-system rollout status deployment/gatehouse': { because: noPods },
  'kubectl -n kgateway-system port-forward deployment/gatehouse 9097': { because: noPods },
  'kubectl port-forward deployment/mcp-gateway 19000': { because: noPods },
  'kubectl delete namespace gatehouse-system': {
    instead: 'kubectl delete namespace gatehouse-system --wait=false',
    because: 'without controllers a deleted namespace stays Terminating',
  },
  'kubectl delete -k deploy': {
    instead: 'kubectl delete -k deploy --dry-run=server --ignore-not-found',
    because: 'without controllers a deleted namespace stays Terminating',
  },
  'kubectl delete -k deploy/namespaced/watched -n <namespace>': {
    instead: 'kubectl delete -k deploy/namespaced/watched -n default',
    because: 'the namespace is the reader’s',
  },
  'kubectl create secret tls gatehouse-xds-tls --cert=… --key=… -n kgateway-system': {
    instead: 'kubectl create secret tls gatehouse-xds-tls --cert=tls.crt --key=tls.key -n kgateway-system',
    because: 'the files are the reader’s',
  },
  'kubectl describe gateway <name>': {
    instead: 'kubectl describe gateway mcp-gateway',
    because: 'the name is the reader’s',
  },
  'kubectl get lease gatehouse-leader': {
    because: 'deploy/README.md has it with its namespace, and deletes it before that page',
  },
  'helm push gatehouse-0.2.0.tgz oci://<registry>': { because: noEngine },
};
/** Commands without an object, by which a sentence names the program. */
const names = new Set(['kubectl describe', 'kubectl port-forward', 'helm install', 'helm uninstall']);

/** The commands of these programs on a page, in order: lines of shell blocks, also those after `# or:`, and inline code. */
function commandsOf(page: string, programs: RegExp = /^(kubectl|helm|docker|cosign) /): readonly string[] {
  const text = pageText(page).replaceAll('\\\n', ' ');
  const found = text.matchAll(/^ *```(\w*)[^\n]*\n(.*?)^ *```$|`([^`\n]+)`/gms);
  return Array.from(found, ([, language, block = '', inline]) => {
    if (inline !== undefined) return [inline];
    return language === 'sh' || language === 'console'
      ? block.split('\n')
      : (/kubectl apply -\S+ .*/.exec(block) ?? []);
  })
    .flat()
    .flatMap((line) => line.split(/ # or: | # .*for (?=kubectl)/))
    .map((line) =>
      line
        .replace(/^\s*\$ /, '')
        .replace(/(^|\s)#.*$/, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => programs.test(line));
}

/** One form for the spellings of a flag. */
const normal = (command: string): string => command.replace(/ -n /, ' --namespace ');
const run = promisify(execFile);

describe.skipIf(kubeAssets() === undefined || helmProgram() === undefined)('the pages name commands', () => {
  let api: KubeApiServer;
  beforeAll(async () => {
    api = await startKubeApiServer();
    // What the pages take for granted: a service account of the reader's, and a replica that leads.
    await api.kubectl(['create', 'serviceaccount', 'agent']);
    await api.kubectl(['create', 'namespace', 'kgateway-system']);
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'gatehouse-leader' } };
    await api.kubectl(['create', '--namespace=kgateway-system', '--filename=-'], { stdin: JSON.stringify(lease) });
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('that a cluster accepts in the order of the pages', { timeout: 300_000 }, async () => {
    const folder = temporaryFolder();
    for (const name of ['deploy', 'docs']) symlinkSync(resolve(name), join(folder, name));
    const [kubectl, helm] = [kubeAssets() ?? '', dirname(helmProgram() ?? '')];
    const env = { HOME: folder, PATH: `${kubectl}:${helm}:${process.env['PATH']}`, KUBECONFIG: api.kubeconfig() };
    const shell = (command: string): Promise<unknown> => run('bash', ['-c', command], { cwd: folder, env });
    const subject = ['-subj', '/CN=gatehouse', '-nodes', '-keyout', 'tls.key', '-out', 'tls.crt'];
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', ...subject], {
      cwd: folder,
    });
    const done = new Set<string>();
    const used = new Set<string>();
    for (const page of pages) {
      for (const command of commandsOf(page)) {
        const exception = exceptions[command];
        if (exception !== undefined) used.add(command);
        const running = exception === undefined ? command : exception.instead;
        if (running === undefined || names.has(command) || /^(docker|cosign) /.test(command)) continue;
        // What installs runs once: a second page says the same of another cluster.
        if (done.has(normal(running))) continue;
        done.add(normal(running));
        await shell(running).catch((error: Error) => {
          throw new Error(`${page}: ${command}`, { cause: error });
        });
      }
    }
    expect(Object.keys(exceptions).filter((command) => !used.has(command))).toEqual([]);
    expect(done.size).toBeGreaterThan(25);
  });

  it('that read a cluster, which has the guide', { timeout: 180_000 }, async () => {
    await api.installGatewayApi('v1.6.1');
    await api.installOwnCrds();
    await api.kubectl(['apply', '--filename=deploy/examples/guide']);
    const kubeconfig = api.kubeconfig();
    await api.kubectl([`--kubeconfig=${kubeconfig}`, 'config', 'rename-context', 'test', 'my-cluster']);
    const answers = new Map<string, string>();
    for (const command of new Set(pages.flatMap((page) => commandsOf(page, /^gatehouse .*--cluster/)))) {
      const program = [process.execPath, ...nodeFlags, resolve('src/main.ts')].join(' ');
      // A sentence names the command without the context, which the reader's cluster has.
      const context = command.includes('--context') ? {} : { GATEHOUSE_CONTEXT: 'my-cluster' };
      const env = { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, ...context };
      const { stdout } = await run('bash', ['-c', command.replace('gatehouse', program)], { env });
      answers.set(command, stdout);
    }
    const explain = 'gatehouse explain --cluster --context my-cluster --gateway default/mcp-gateway';
    expect(answers.get('gatehouse check --cluster --context my-cluster')).toMatch(
      /1 Gateway, 1 target, 1 policy; 0 errors/,
    );
    expect(answers.get(explain)).toMatch(/default\/mcp-tool +tool +convert_to_markdown +yes/);
  });
});

it('the pages name no command for images but those that are known not to run here', () => {
  const programs = pages.flatMap((page) => commandsOf(page, /^(docker|cosign) /));
  const known = /^(docker (build|push|run|buildx (bake|imagetools inspect))|cosign sign(-blob)?) ?/;
  expect(programs.filter((command) => !known.test(command))).toEqual([]);
});
