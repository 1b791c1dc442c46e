import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics, metricLabels } from '../../src/debug/metrics.ts';
import { deploy, shipped } from '../support/cluster/deployed.ts';

/** A panel, as far as its queries are concerned. */
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

const [rule] = shipped('monitoring/prometheus-rule.yaml').all;
const { spec }: { readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] } } = JSON.parse(
  JSON.stringify(rule),
);
const alerts = spec.groups.flatMap(({ rules }) => rules);
const dashboard: { readonly panels: readonly Panel[]; readonly templating: object } = JSON.parse(
  readFileSync(join(deploy, 'monitoring/grafana-dashboard.json'), 'utf8'),
);
const queries: readonly (readonly [string, string])[] = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
];
/** Labels that Prometheus adds to every series of a pod. */
const targetLabels = ['namespace', 'pod', 'job'];
const help = await createMetrics({ lostLines: 0 }).text();

/** The series of the registry, with the labels of each; those of a histogram have the suffixes that queries use. */
const series = new Set(
  Array.from(help.matchAll(/^# TYPE (\w+) (\w+)/gm), ([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ).flat(),
);

it('the alerts and the dashboard have queries', () => {
  expect(alerts.length).toBeGreaterThan(5);
  expect(queries.length).toBeGreaterThan(alerts.length + 10);
});

it.each(queries)('%s asks for series that exist: %s', (_, expr) => {
  const named = expr.match(/\b(?:gatehouse|nodejs|process)_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !series.has(name))).toEqual([]);
});

it.each(queries)('%s groups and selects by labels that its series have: %s', (_, expr) => {
  const names = expr.match(/\b(?:gatehouse|nodejs|process)_\w+/g) ?? [];
  const known = new Set([...targetLabels, 'le', ...names.flatMap((name) => metricLabels.get(name) ?? [])]);
  const grouped = Array.from(expr.matchAll(/\b(?:by|without) \(([^)]*)\)/g), ([, list = '']) =>
    list.split(/,\s*/),
  ).flat();
  const selected = Array.from(expr.matchAll(/(\w+)(?:=~|!~|!=|=)"/g), ([, label = '']) => label);
  expect([...grouped, ...selected].filter((label) => !known.has(label))).toEqual([]);
});

describe('each alert', () => {
  const page = readFileSync(join(deploy, '../docs/operating.md'), 'utf8');
  const headings = new Set(Array.from(page.matchAll(/^### (\w+)$/gm), ([, heading = '']) => heading));

  it.each(alerts)('$alert has a severity, a summary and a runbook', ({ alert, labels, annotations }) => {
    expect(['critical', 'warning']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(annotations.runbook_url).toBe(`docs/operating.md#${alert.toLowerCase()}`);
    expect(headings).toContain(alert);
  });

  it('is the only one with its runbook', () => {
    const named = alerts.map(({ alert }) => alert);
    expect([...headings].filter((heading) => heading.startsWith('Gatehouse')).toSorted()).toEqual(named.toSorted());
  });
});

it('the PodMonitor selects the pods, and a port that they have', () => {
  const [monitor] = shipped('monitoring/pod-monitor.yaml').all;
  const { template } = shipped('base/deployment.yaml').only('Deployment').spec;
  expect(monitor).toMatchObject({
    metadata: { namespace: 'kgateway-system' },
    spec: { selector: { matchLabels: template.metadata.labels }, podMetricsEndpoints: [{ port: 'metrics' }] },
  });
  expect(template.spec.containers[0].ports.map(({ name }) => name)).toContain('metrics');
});
