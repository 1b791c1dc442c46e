import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logFlags } from '../../src/cli/flags/log-flags.ts';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { kubeAssets } from '../support/cluster/assets.ts';
import { deploy, type Manifest, type Manifests, overlayText, rendered } from '../support/cluster/deployed.ts';
import { chart, helm, helmProgram, templated } from '../support/cluster/helm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const program = helmProgram();
const assets = kubeAssets();

const idOf = ({ kind, metadata }: Manifest): string => [kind, metadata.namespace, metadata.name].join('/');

/** Helm creates no Namespace by a template, and its labels say more than kustomize's. */
function comparable(manifests: Manifests): Readonly<Record<string, unknown>> {
  const compared = manifests.all.filter(({ kind }) => kind !== 'Namespace');
  return Object.fromEntries(
    compared.map((manifest) => {
      const { labels: _labels, ...metadata } = manifest.metadata;
      return [idOf(manifest), { ...manifest, metadata }];
    }),
  );
}

function kustomized(variant: string, components: readonly string[] = [], more = ''): Manifests {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'kustomization.yaml'), overlayText(folder, [variant], components, more));
  return rendered(join(assets ?? '', 'kubectl'), folder);
}

const chartOf = (namespace: string, ...flags: readonly string[]): Manifests =>
  templated(program ?? '', namespace, ...flags);

describe.skipIf(program === undefined || assets === undefined)('the Helm chart renders what kustomize does', () => {
  it.each([
    ['.', 'kgateway-system', []],
    ['namespaced', 'kgateway-system', ['--set=namespaces={default}']],
    ['beside-kgateway', 'gatehouse-system', ['--set=controllerName=gatehouse.dev/gatehouse,service.name=gatehouse']],
  ] as const)('renders the objects of %s', (variant, namespace, flags) => {
    const chart = comparable(chartOf(namespace, ...flags));
    // kgateway's own CRD is there already: Helm leaves an existing CRD alone.
    if (variant === 'beside-kgateway') {
      const { ['CustomResourceDefinition//gatewayparameters.gateway.kgateway.dev']: _kept, ...others } = chart;
      expect(others).toEqual(comparable(kustomized(variant)));
    } else expect(chart).toEqual(comparable(kustomized(variant)));
  });

  it('renders the optional components', () => {
    expect(comparable(chartOf('kgateway-system', '--set=networkPolicy.enabled=true'))).toEqual(
      comparable(kustomized('.', ['components/network-policy'])),
    );
    expect(comparable(chartOf('kgateway-system', '--set=namespaces={default},readNamespaceLabels=true'))).toEqual(
      comparable(kustomized('namespaced', ['components/namespaces'])),
    );
  });

  it.each([
    ['tls.mode=on', ['xds-tls']],
    ['tls.mode=on,auth.xds=token', ['xds-tls', 'xds-auth-token']],
    ['tls.mode=on,auth.debug=token', ['xds-tls', 'debug-auth-token']],
    ['tls.mode=on,auth.xds=token,auth.debug=token', ['xds-tls', 'xds-auth-token', 'debug-auth-token']],
  ])('renders %s as the components %j', (values, components) => {
    const chart = chartOf('kgateway-system', `--set=tls.secretName=gatehouse-xds-tls,${values}`);
    const folders = components.map((name) => `components/${name}`);
    expect(comparable(chart)).toEqual(comparable(kustomized('.', folders)));
  });

  it('keeps the labels of the objects, and says which chart they are of', () => {
    const labels = new Map(kustomized('.').all.map((manifest) => [idOf(manifest), manifest.metadata.labels]));
    for (const manifest of chartOf('kgateway-system').all) {
      if (manifest.kind === 'CustomResourceDefinition') continue;
      expect(manifest.metadata.labels).toMatchObject(labels.get(idOf(manifest)) ?? {});
      expect(manifest.metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.sh/chart': expect.stringMatching(/^gatehouse-\d/),
      });
    }
  });
});

describe.skipIf(program === undefined)('the Helm chart', () => {
  it('passes flags that gatehouse serve accepts', () => {
    const values = 'controllerName=a.example/b,namespaces={a,b},extraArgs={--external-name-services=false}';
    const [container] = chartOf('x', `--set=${values}`).only('Deployment').spec.template.spec.containers;
    const [command, ...args] = container.args;
    expect(command).toBe('serve');
    const settings = serveSettings(readFlags([...serveFlags, ...logFlags], [...args, '-f', deploy], {}), {});
    expect(settings).toMatchObject({ namespaces: ['a', 'b'], controllerName: 'a.example/b' });
  });

  it('mounts the Secret of TLS where the flags say, and no longer calls the port plaintext', () => {
    const manifests = chartOf('x', '--set=tls.mode=either,tls.secretName=gateways');
    const { spec } = manifests.only('Deployment').spec.template;
    expect(spec).toMatchObject({
      securityContext: { runAsUser: 65_532, fsGroup: 65_532 },
      containers: [{ volumeMounts: [{ name: 'xds-tls', mountPath: '/etc/gatehouse/xds-tls', readOnly: true }] }],
      volumes: [{ name: 'xds-tls', secret: { secretName: 'gateways' } }],
    });
    expect(spec.containers[0].args).toEqual([
      'serve',
      '--xds-tls=either',
      '--xds-tls-cert=/etc/gatehouse/xds-tls/tls.crt',
      '--xds-tls-key=/etc/gatehouse/xds-tls/tls.key',
    ]);
    const [command, ...args] = spec.containers[0].args;
    expect(command).toBe('serve');
    expect(readFlags([...serveFlags, ...logFlags], args, {}).text('xds-tls')).toBe('either');
    expect(manifests.only('Service').spec.ports.map(({ appProtocol }) => appProtocol)).toEqual([undefined, 'http']);
  });

  it('sets replicas, resources, image and places of the pods', () => {
    const values = [
      'replicas=3,resources.limits.memory=2Gi,maxOldSpaceSize=1536,nodeSelector.zone=a,priorityClassName=high',
      'image.repository=registry.example.com/gatehouse,imagePullSecrets[0].name=pull,podAnnotations.a=b',
      `image.digest=sha256:${'0'.repeat(64)}`,
    ];
    const { spec } = chartOf('x', ...values.map((value) => `--set=${value}`)).only('Deployment');
    const [container] = spec.template.spec.containers;
    expect(spec.replicas).toBe(3);
    expect(container.image).toBe(`registry.example.com/gatehouse@sha256:${'0'.repeat(64)}`);
    expect(container.resources.limits).toEqual({ memory: '2Gi' });
    expect(container.env.find(({ name }) => name === 'NODE_OPTIONS')?.value).toContain('--max-old-space-size=1536');
    expect(spec.template.spec).toMatchObject({
      nodeSelector: { zone: 'a' },
      priorityClassName: 'high',
      imagePullSecrets: [{ name: 'pull' }],
    });
  });

  it('is linted without a warning', () => {
    const { ok, stdout } = helm(program ?? '', ['lint', '--strict', chart]);
    expect(ok).toBe(true);
    expect(stdout).not.toMatch(/WARN|ERROR/);
  });
});

describe.skipIf(program === undefined)('the Helm chart with a PodMonitor', () => {
  it('renders a PodMonitor for the pods and their metrics port', () => {
    const manifests = chartOf('x', '--set=podMonitor.enabled=true,podMonitor.labels.release=prometheus');
    const monitor = manifests.all.find(({ kind }) => kind === 'PodMonitor');
    expect(monitor).toMatchObject({
      metadata: { namespace: 'x', labels: { release: 'prometheus' } },
      spec: { selector: manifests.only('Deployment').spec.selector, podMetricsEndpoints: [{ port: 'metrics' }] },
    });
  });

  it('renders what Prometheus shows and believes where operators are asked for tokens', () => {
    const values = [
      'podMonitor.enabled=true,tls.mode=on,tls.secretName=tls,auth.debug=token',
      'podMonitor.authorization.credentials.name=scraper,podMonitor.authorization.credentials.key=token',
      'podMonitor.tlsConfig.serverName=kgateway.x.svc',
    ];
    const monitor = chartOf('x', ...values.map((value) => `--set=${value}`)).all.find(
      ({ kind }) => kind === 'PodMonitor',
    );
    expect(monitor).toMatchObject({
      spec: {
        podMetricsEndpoints: [
          {
            scheme: 'https',
            authorization: { credentials: { name: 'scraper', key: 'token' } },
            tlsConfig: { serverName: 'kgateway.x.svc' },
          },
        ],
      },
    });
  });
});

describe.skipIf(program === undefined)('the names in the Helm chart', () => {
  it('stay texts where YAML would read numbers or truths', () => {
    const manifests = chartOf(
      '123',
      '--set-string=namespaces={1e3,true},service.name=true,tls.secretName=0x1',
      '--set=tls.mode=on',
    );
    const of = (kind: string): readonly unknown[] =>
      manifests.all.filter((manifest) => manifest.kind === kind).map(({ metadata }) => metadata.namespace);
    expect(of('Deployment')).toEqual(['123']);
    expect(manifests.only('Service').metadata.name).toBe('true');
    expect(of('RoleBinding').toSorted()).toEqual(['123', '1e3', 'true']);
    const subjects = [...manifests.of('RoleBinding'), ...manifests.of('ClusterRoleBinding')].flatMap(
      (one) => one.subjects,
    );
    expect(new Set(subjects.map(({ namespace }) => namespace))).toEqual(new Set(['123']));
    expect(manifests.only('Deployment').spec.template.spec).toMatchObject({
      volumes: [{ secret: { secretName: '0x1' } }],
    });
  });
});

describe.skipIf(program === undefined)('the schema of the values', () => {
  it.each([
    ['an unknown key', 'replica=3', "additional properties 'replica' not allowed"],
    ['an unknown key in a part', 'image.tags=x', "at '/image': additional properties 'tags' not allowed"],
    ['no replica', 'replicas=0', "at '/replicas'"],
    ['a controller name without a path', 'controllerName=kgateway.dev', "at '/controllerName'"],
    ['a namespace that is no name', 'namespaces={A_b}', "at '/namespaces/0'"],
    ['a flag that a value sets', 'extraArgs={--namespace=a}', "at '/extraArgs/0'"],
    [
      'a flag that takes tokens back',
      'auth.xds=token,tls.mode=on,tls.secretName=a,extraArgs={--xds-auth=none}',
      "at '/extraArgs/0'",
    ],
    [
      'labels that the selector needs',
      'podLabels.app\\.kubernetes\\.io/name=x',
      "invalid propertyName 'app.kubernetes.io/name'",
    ],
    ['a NetworkPolicy that admits everybody', 'networkPolicy.gateways=null', "missing property 'gateways'"],
    [
      'a selector of the NetworkPolicy with an unknown key, which would admit everybody',
      'networkPolicy.gateways[0].podSelector.matchLabel.app=x',
      "at '/networkPolicy/gateways/0/podSelector': additional properties 'matchLabel' not allowed",
    ],
    [
      'an unknown key of a part that the objects have as it is',
      'podMonitor.tlsConfig.insecure=true',
      "at '/podMonitor/tlsConfig': additional properties 'insecure' not allowed",
    ],
    ['TLS without a Secret', 'tls.mode=on', "at '/tls/secretName'"],
    ['tokens in plaintext', 'auth.xds=token', "at '/tls/mode'"],
    ['a TLS mode that is none', 'tls.mode=yes', "at '/tls/mode'"],
    ['a digest that is none', 'image.digest=latest', "at '/image/digest'"],
  ])('refuses %s', (_what, value, message) => {
    const { ok, stderr } = helm(program ?? '', ['template', 'gatehouse', chart, `--set=${value}`]);
    expect({ ok, stderr }).toMatchObject({ ok: false, stderr: expect.stringContaining(message) });
  });
});
