import { oneLine, type Style } from '../offline/style.ts';
import { table } from '../offline/table.ts';
import type { NodeEntry, NodesDocument, TypeEntry } from './nodes-client.ts';

/** The nodes as a table with a row per type, and below it what nodes refused, in their words. */
export function nodesText({ time, nodes }: NodesDocument, wide: boolean, style: Style): string {
  if (nodes.length === 0) return 'no node is connected';
  const now = Date.parse(time);
  const header = ['GATEWAY', 'NODE', 'DIALECT', 'VARIANT', 'CONNECTED', 'TYPE', 'SENT', 'ACKED', 'LAG', 'STATE'];
  const rows = nodes.flatMap((node) => nodeRows(node, now, wide));
  const [first = '', ...lines] = table([wide ? [...header, 'PEER', 'BY'] : header, ...rows]);
  const refused = nodes.flatMap((node) => refusalLines(node, now, style));
  const shown = lines.map((line) => line.replace(/ (refusing)(?= |$)/, ` ${style.red('$1')}`));
  return [style.bold(first), ...shown, ...refused, summary(nodes, style)].join('\n');
}

/** A row per type; the columns of the node stand in the first one only. */
function nodeRows(node: NodeEntry, now: number, wide: boolean): readonly (readonly string[])[] {
  const gateway = node.gatewayExists ? node.gateway : `${node.gateway} (no such Gateway)`;
  const id = node.id === '' ? node.peer : node.id;
  const variant = node.variant === 'state-of-the-world' ? 'sotw' : node.variant;
  const connected = duration((now - Date.parse(node.connectedSince)) / 1000);
  const head = [gateway, id, node.dialect ?? '-', variant, connected].map(oneLine);
  const tail = wide ? [node.peer, node.identifiedBy].map(oneLine) : [];
  if (node.types.length === 0) return [[...head, '-', '-', '-', '-', 'asks for nothing', ...tail]];
  return node.types.map((type, position) => [
    ...(position === 0 ? head : head.map(() => '')),
    ...typeCells(type, wide),
    ...(position === 0 ? tail : tail.map(() => '')),
  ]);
}

function typeCells({ typeUrl, known, state, sent, acked, lagSeconds }: TypeEntry, wide: boolean): readonly string[] {
  const shortened = (version: string | undefined): string => version?.slice(0, wide ? undefined : 8) ?? '-';
  return [
    wide ? typeUrl : shortType(typeUrl),
    shortened(sent?.version),
    shortened(acked?.version),
    lagSeconds === undefined ? '-' : duration(lagSeconds),
    known ? state : 'unknown type',
  ].map(oneLine);
}

/** A sentence per refused type, and one per resource when the node says which. */
function refusalLines({ gateway, id, peer, types }: NodeEntry, now: number, style: Style): readonly string[] {
  return types.flatMap(({ typeUrl, rejection }) => {
    if (rejection === undefined) return [];
    const { message, at, diagnostics } = rejection;
    const who = `${gateway} ${id === '' ? peer : id}`;
    const since = duration((now - Date.parse(at)) / 1000);
    const line = `${style.red('refused')}: ${oneLine(who)} refused ${shortType(typeUrl)} ${since} ago: ${oneLine(message)}`;
    return [
      line,
      ...diagnostics.map((one) => `  ${one.severity} in ${oneLine(one.resource)}: ${oneLine(one.message)}`),
    ];
  });
}

function summary(nodes: readonly NodeEntry[], style: Style): string {
  const count = (state: NodeEntry['state']): number => nodes.filter((node) => node.state === state).length;
  const refusing = count('refusing');
  const words = `${refusing} refusing`;
  return `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}: ${count('in-sync')} in sync, ${count('behind')} behind, ${refusing > 0 ? style.red(words) : words}`;
}

function shortType(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

/** Seconds in the two largest units. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return seconds > 0 && seconds < 10 ? `${seconds.toFixed(1)}s` : `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m${whole % 60}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)}h${Math.floor((whole % 3_600) / 60)}m`;
  return `${Math.floor(whole / 86_400)}d${Math.floor((whole % 86_400) / 3_600)}h`;
}
