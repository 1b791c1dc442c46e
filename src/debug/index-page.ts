import { asJsonObject, objectIn } from '../json/json.ts';
import { type Cell, escaped, table } from './html.ts';
import type { HttpResponse } from './routes.ts';
import type { GatewayView, NodeView, SnapshotsView } from './snapshots-view.ts';

/** Renders the start page: Gateways with their nodes, targets and rules; policies; problems in the input; links. */
export function indexPage(view: SnapshotsView): HttpResponse {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>gatehouse</title>
<style>${style}</style>
<h1>gatehouse</h1>
<p class="${view.synced ? 'good' : 'bad'}">${view.synced ? 'synced' : 'not synced yet: nodes get UNAVAILABLE and retry'}</p>
<h2>Gateways</h2>
${table(['Gateway', 'Snapshot', 'Accepted', 'Nodes'], view.gateways.map(gatewayRow), 'There is none.')}
${view.gateways.slice(0, maxGateways).map(gatewaySection).join('\n')}
<h2>Policies</h2>
${table(['Policy', 'Gateway', 'Accepted', 'Messages'], policyRows(view), 'There is none: nobody may use anything.')}
<h2>Problems in the input</h2>
${table(['Place', 'Object', 'Problem'], problemRows(view), 'There is none.')}
<h2>More</h2>
<ul>
<li><a href="/snapshots/xds?pretty">/snapshots/xds?pretty</a>: every Gateway with its decoded resources, conditions and nodes
<li><a href="/snapshots/graph?pretty">/snapshots/graph?pretty</a>: the collections between input and wire; with &amp;keys what each was made from
</ul>
`;
  return { status: 200, type: 'text/html; charset=utf-8', body };
}

/** Gateways that are shown with their targets and rules. */
const maxGateways = 20;

function gatewayRow(view: GatewayView): readonly Cell[] {
  const { gateway, exists, version, status, nodes = [] } = view;
  const accepted = status?.conditions.find(({ type }) => type === 'Accepted');
  return [
    exists ? jsonOf(gateway) : `${gateway} (no such Gateway)`,
    version.slice(0, 12),
    accepted === undefined ? 'of another controller' : stateOf(accepted),
    nodes.map(nodeText).join('\n') || 'none is connected',
  ];
}

function gatewaySection(view: GatewayView): string {
  if (!view.exists) return '';
  return `<h3>${escaped(view.gateway)}</h3>
${table(['Target', 'Where'], targetRows(view), 'It has no targets.')}
${table(['May be used', 'By whose token has', 'Because of'], ruleRows(view), 'Nobody may use anything: no policy allows it.')}`;
}

/** A row per target of a Gateway: its name and its URL. */
function targetRows(view: GatewayView): readonly (readonly Cell[])[] {
  return resourcesOf(view, 'Target').map(({ name, resource }) => {
    const { host, port, path } = asJsonObject(resource);
    const scheme = port === 443 ? 'https' : 'http';
    return [name, `${scheme}://${text(host)}:${text(port)}${text(path) || '/sse'}`];
  });
}

/** A row per rule: what it allows, for which claim, and its policy. */
function ruleRows(view: GatewayView): readonly (readonly Cell[])[] {
  return resourcesOf(view, 'Config').flatMap(({ name, resource }) => {
    const { rules } = asJsonObject(resource);
    return (Array.isArray(rules) ? rules : []).map((rule: unknown) => {
      const { key, value } = asJsonObject(rule);
      const { id, type } = objectIn(rule, 'resource');
      const what = id === '*' ? `every ${text(type).toLowerCase()}` : `${text(type).toLowerCase()} ${text(id)}`;
      return [what, `${text(key)} = ${text(value)}`, name];
    });
  });
}

function resourcesOf(view: GatewayView, kind: string): GatewayView['types'][number]['resources'] {
  return view.types.filter(({ typeUrl }) => typeUrl.endsWith(`.${kind}`)).flatMap(({ resources }) => resources);
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function policyRows({ policies }: SnapshotsView): readonly (readonly Cell[])[] {
  return policies.flatMap(({ namespace, name, ancestors }) =>
    ancestors.map(({ ancestorRef, conditions }) => {
      const accepted = conditions.find(({ type }) => type === 'Accepted');
      return [
        `${namespace}/${name}`,
        ancestorRef.name,
        accepted === undefined ? '' : stateOf(accepted),
        conditions.map(({ message }) => message).join('\n'),
      ];
    }),
  );
}

function problemRows({ problems }: SnapshotsView): readonly (readonly Cell[])[] {
  return problems.map(({ place, object, message, severity }) => [place, object ?? '', `${severity}: ${message}`]);
}

function jsonOf(gateway: string): Cell {
  return { text: gateway, href: `/snapshots/xds?gateway=${encodeURIComponent(gateway)}&pretty` };
}

/** The status as a word, with the reason unless the condition is true. */
function stateOf({ status, reason }: { readonly status: string; readonly reason: string }): string {
  return status === 'True' ? 'yes' : `${status === 'False' ? 'no' : 'unknown'}: ${reason}`;
}

function nodeText({ id, peer, synced, types }: NodeView): string {
  const rejection = types.find((type) => type.rejection !== undefined)?.rejection;
  const state = rejection === undefined ? (synced ? 'holds it' : 'is behind') : `rejected it: ${rejection.message}`;
  return `${id || peer} ${state}`;
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1d2733; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; font-size: 1.25rem; } h3 { margin-top: 1.5rem; font-size: 1.05rem; }
table { border-collapse: collapse; margin-bottom: 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1.8rem .3rem 0; border-bottom: 1px solid #d8dee6; white-space: pre-line; overflow-wrap: anywhere; }
th { color: #5b6876; font-weight: 600; } td:first-child { min-width: 14rem; } a { color: #0b57a4; }
.good { color: #17683a; } .bad { color: #a3281e; }
`;
