import { expect, it } from 'vitest';
import { indexPage } from '../../src/debug/index-page.ts';
import type { GatewayView, SnapshotsView } from '../../src/debug/snapshots-view.ts';

const wire = 'type.googleapis.com/mcp.kgateway.dev';
const version = '0123456789abcdef';

function gateway(rules: readonly object[], targets: readonly object[]): GatewayView {
  const resource = (name: string, message: object) => ({ name, version, resource: message });
  const config = resource('default.auth', { namespace: 'default', name: 'auth', rules });
  return {
    gateway: 'default/mcp-gateway',
    exists: true,
    version,
    types: [
      { typeUrl: `${wire}.rbac.v1alpha1.Config`, version, resources: rules.length === 0 ? [] : [config] },
      {
        typeUrl: `${wire}.target.v1alpha1.Target`,
        version,
        resources: targets.map((target, index) => resource(`default/tool-${index}`, target)),
      },
    ],
    nodes: [],
  };
}

function pageOf(gateways: readonly GatewayView[]): string {
  const empty = { gatewayClasses: [], policies: [], policyNotices: [], services: [], problems: [] };
  const view: SnapshotsView = { synced: true, gateways, ...empty };
  return indexPage(view).body;
}

const allow = (id: string, value: string): object => ({
  key: 'sub',
  value,
  matcher: 'EQUALS',
  resource: { id, type: 'TOOL' },
});

it('the page shows the URLs of targets, and rules with their policies', () => {
  const targets = [
    { host: 'tool.default.svc.cluster.local', port: 8080, path: '' },
    { host: '10.0.0.1', port: 443, path: '/mcp' },
  ];
  const page = pageOf([gateway([allow('default/tool-0:x', 'me'), allow('*', 'you')], targets)]);
  expect(page).toContain('<td>default/tool-0</td><td>http://tool.default.svc.cluster.local:8080/sse</td>');
  expect(page).toContain('<td>default/tool-1</td><td>https://10.0.0.1:443/mcp</td>');
  expect(page).toContain('<td>tool default/tool-0:x</td><td>sub = me</td><td>default.auth</td>');
  expect(page).toContain('<td>every tool</td><td>sub = you</td><td>default.auth</td>');
  expect(page).toContain('<a href="/snapshots/xds?gateway=default%2Fmcp-gateway&#38;pretty">');
});

it('the page states that no policy allows anything', () => {
  expect(pageOf([gateway([], [])])).toContain('Nobody may use anything: no policy allows it.');
});

it('the page escapes names and limits its tables to 100 rows', () => {
  const page = pageOf([
    gateway(
      Array.from({ length: 250 }, () => allow('<script>"\'&', '</td>')),
      [],
    ),
  ]);
  expect(page).toContain('tool &#60;script&#62;&#34;&#39;&#38;');
  expect(page).not.toContain('<script');
  expect(page.split('sub = &#60;/td&#62;')).toHaveLength(101);
  expect(page).toContain('and 150 more');
});
