import type { Answer } from './http-listener.ts';
import type { GatewayView, NodeView, SnapshotsView } from './snapshots-view.ts';

/** The first page: every Gateway on a line, who holds it, what is wrong, and where to look next. */
export function indexPage(view: SnapshotsView): Answer {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>gatehouse</title>
<style>${style}</style>
<h1>gatehouse</h1>
<p class="${view.synced ? 'good' : 'bad'}">${view.synced ? 'synced' : 'not synced yet: nodes are told to come back'}</p>
<h2>Gateways</h2>
${table(['Gateway', 'Snapshot', 'Targets and rules', 'Accepted', 'Nodes'], view.gateways.map(gatewayRow))}
<h2>Problems in the input</h2>
${table(
  ['Place', 'Object', 'Field', 'What is wrong'],
  view.problems.map(({ place, object, field, message, severity }) => [
    place,
    object ?? '',
    field,
    `${severity}: ${message}`,
  ]),
)}
<h2>More</h2>
<ul>
<li><a href="/snapshots/xds?pretty">/snapshots/xds?pretty</a>: every Gateway with its decoded resources, conditions and nodes
<li>/snapshots/xds?gateway=&lt;namespace&gt;/&lt;name&gt;: one of them
<li><a href="/snapshots/graph?pretty">/snapshots/graph?pretty</a>: the collections between input and wire; with &amp;keys what each was made from
</ul>
`;
  return { status: 200, type: 'text/html; charset=utf-8', body };
}

function gatewayRow({ gateway, exists, version, types, status, nodes }: GatewayView): readonly string[] {
  const accepted = status?.conditions.find(({ type }) => type === 'Accepted');
  return [
    exists ? gateway : `${gateway} (no such Gateway)`,
    version.slice(0, 12),
    types
      .map(({ typeUrl, resources }) => `${resources.length} ${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)}`)
      .join(', '),
    accepted === undefined ? 'not ours' : `${accepted.status} (${accepted.reason})`,
    nodes.map(nodeText).join('\n') || 'none',
  ];
}

function nodeText({ id, peer, synced, types }: NodeView): string {
  const rejection = types.find((type) => type.rejection !== undefined)?.rejection;
  const state = rejection === undefined ? (synced ? 'holds it' : 'is behind') : `rejected it: ${rejection.message}`;
  return `${id || peer} ${state}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.';
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('\n')}</table>`;
}

/** Names and messages come from whoever writes manifests or connects. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1d2733; }
h1 { margin-bottom: 0; } h2 { margin-top: 2rem; font-size: 1.1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #d8dee6; white-space: pre-line; }
.good { color: #17683a; } .bad { color: #a3281e; }
`;
