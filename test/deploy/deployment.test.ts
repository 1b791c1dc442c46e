import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { duration, listenAddress } from '../../src/cli/flag-values.ts';
import { logFlags } from '../../src/cli/flags/log-flags.ts';
import { serveFlags } from '../../src/cli/flags/serve-flags.ts';
import { type Flag, variableOf } from '../../src/cli/flags.ts';
import { shipped } from '../support/cluster/deployed.ts';
import { nodeEnvironment, nodeFlags } from '../support/processes/node-flags.ts';

const deployment = shipped('base/deployment.yaml').only('Deployment');
const { template, selector } = deployment.spec;
const pod = template.spec;
const [container] = pod.containers;
const service = shipped('base/service.yaml').only('Service');
const account = shipped('base/service-account.yaml').all[0];
const budget: { readonly spec: { readonly selector: object; readonly maxUnavailable: number } } = JSON.parse(
  JSON.stringify(shipped('base/pod-disruption-budget.yaml').all[0]),
);
const flags = [...serveFlags, ...logFlags];

const defaultOf = (name: string): string => flags.find((flag: Flag) => flag.name === name)?.default ?? '';
const portOf = (name: string): number | undefined => container.ports.find((port) => port.name === name)?.containerPort;
const environment = new Map(
  container.env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef.fieldPath]),
);

describe('the Deployment', () => {
  it('has the names that the guide and the documentation use', () => {
    expect(deployment.metadata).toMatchObject({ name: 'gatehouse', namespace: 'kgateway-system' });
    expect(service.metadata).toMatchObject({ name: 'kgateway', namespace: 'kgateway-system' });
    expect(account?.metadata).toMatchObject({ name: 'gatehouse', namespace: 'kgateway-system' });
    expect(pod.serviceAccountName).toBe('gatehouse');
  });

  it('has pods that its selector, the Service, the budget and the topology spread select', () => {
    const { labels } = template.metadata;
    expect(labels).toMatchObject(selector.matchLabels);
    expect(labels).toMatchObject(service.spec.selector);
    expect(Object.keys(service.spec.selector).length).toBeGreaterThan(0);
    expect(budget.spec.selector).toEqual(selector);
    expect(pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const { labelSelector } of pod.topologySpreadConstraints) expect(labelSelector).toEqual(selector);
  });

  it('has a Service for the xDS port and for metrics', () => {
    expect(service.spec.ports).toEqual([
      { name: 'xds', port: 9977, targetPort: 'xds', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' },
      { name: 'metrics', port: 9092, targetPort: 'metrics', protocol: 'TCP', appProtocol: 'http' },
    ]);
    expect(portOf('xds')).toBe(listenAddress('xds-listen', defaultOf('xds-listen')).port);
  });

  it('probes the metrics port', () => {
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'metrics' });
    expect(portOf('metrics')).toBe(listenAddress('metrics-listen', defaultOf('metrics-listen')).port);
    for (const name of ['xds-listen', 'metrics-listen']) {
      expect(listenAddress(name, defaultOf(name)).host).toBe('0.0.0.0');
    }
  });

  it('exposes neither the debug nor the admin port', () => {
    expect(container.ports.map(({ name }) => name)).toEqual(['xds', 'metrics']);
    for (const name of ['debug-listen', 'admin-listen']) {
      expect(listenAddress(name, defaultOf(name)).host).toBe('127.0.0.1');
    }
  });

  it('sets only flags that exist', () => {
    expect(container.args).toEqual(['serve']);
    const variables = new Set(flags.map(variableOf));
    const ours = [...environment.keys()].filter((name) => name.startsWith('GATEHOUSE_'));
    expect(ours.filter((name) => !variables.has(name))).toEqual([]);
  });

  it('passes name and namespace of the pod to the program', () => {
    expect(environment.get('POD_NAME')).toBe('metadata.name');
    expect(environment.get('POD_NAMESPACE')).toBe('metadata.namespace');
  });
});

describe('the pods of the Deployment', () => {
  it('are two, and an update keeps both ready', () => {
    expect(deployment.spec.replicas).toBe(2);
    expect(deployment.spec.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
    expect(budget.spec.maxUnavailable).toBe(1);
  });

  it('have a termination grace period longer than the shutdown grace', () => {
    const grace = duration('shutdown-grace', defaultOf('shutdown-grace')) / 1_000;
    const before = container.lifecycle.preStop.sleep.seconds;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(before + grace + 5);
  });

  it('run with least privilege', () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(account).toMatchObject({ automountServiceAccountToken: false });
    expect(pod).toMatchObject({ automountServiceAccountToken: true, enableServiceLinks: false });
  });

  it('request and limit memory, with a heap that fits', () => {
    const mebibytes: Readonly<Record<string, number>> = { Mi: 1, Gi: 1_024 };
    const size = (text = ''): number => Number.parseInt(text, 10) * (mebibytes[text.slice(-2)] ?? Number.NaN);
    const { requests, limits } = container.resources;
    const options = environment.get('NODE_OPTIONS')?.split(' ') ?? [];
    const heap = Number(/^--max-old-space-size=(\d+)$/.exec(options[0] ?? '')?.[1]);
    expect(options.slice(1)).toEqual(nodeFlags);
    expect(environment.get('MALLOC_ARENA_MAX')).toBe(nodeEnvironment['MALLOC_ARENA_MAX']);
    expect(requests).toHaveProperty('cpu');
    expect(size(requests['memory'])).toBeLessThanOrEqual(size(limits['memory']));
    expect(heap).toBeLessThanOrEqual(size(limits['memory']) * 0.75);
    expect(heap).toBeGreaterThan(size(requests['memory']));
  });

  it('run the image of this version', () => {
    const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(container.image).toMatch(new RegExp(`/gatehouse:${version.replaceAll('.', '\\.')}$`));
  });
});
