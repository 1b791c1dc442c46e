import { askDebug } from './debug-client.ts';
import { Fields } from './fields.ts';

/** The answer of `GET /debug/nodes`, as `docs/operating.md` describes it. */
export interface NodesDocument {
  /** The clock of the server, RFC 3339. */
  readonly time: string;
  readonly nodes: readonly NodeEntry[];
}

type SyncState = 'in-sync' | 'behind' | 'refusing';

/** A connected node, as `/debug/nodes` describes it. Times are RFC 3339. */
export interface NodeEntry {
  readonly id: string;
  readonly gateway: string;
  readonly gatewayExists: boolean;
  readonly dialect: string | undefined;
  readonly variant: string;
  readonly peer: string;
  readonly identifiedBy: string;
  readonly connectedSince: string;
  readonly state: SyncState;
  readonly types: readonly TypeEntry[];
}

/** What one node has of one type. */
export interface TypeEntry {
  readonly typeUrl: string;
  readonly known: boolean;
  readonly state: SyncState;
  /** The version of the snapshot. */
  readonly current: string | undefined;
  readonly sent: VersionEntry | undefined;
  readonly acked: VersionEntry | undefined;
  readonly lagSeconds: number | undefined;
  readonly rejection: RejectionEntry | undefined;
}

interface VersionEntry {
  readonly version: string;
  readonly at: string;
}

interface RejectionEntry {
  readonly message: string;
  readonly at: string;
  readonly diagnostics: readonly { readonly resource: string; readonly severity: string; readonly message: string }[];
}

/** Entries of one page, the most that an answer has. */
const pageSize = 1000;

/** Pages that are read: more nodes connect to no one process. */
const mostPages = 100;

/** Asks for all nodes, page by page. */
export async function askNodes(server: string, gateway: string | undefined): Promise<NodesDocument> {
  const nodes: NodeEntry[] = [];
  let time = '';
  for (let page = 0; page < mostPages; page += 1) {
    const query = new URLSearchParams({ ...(gateway && { gateway }), limit: `${pageSize}`, offset: `${nodes.length}` });
    const next = await askDebug(server, { path: `/debug/nodes?${query.toString()}` }, (fields) => ({
      time: fields.text('time'),
      total: fields.number('total'),
      nodes: fields.list('nodes', (entry, path) => decodeNode(new Fields(entry, path))),
    }));
    time = next.time;
    nodes.push(...next.nodes);
    if (next.nodes.length === 0 || nodes.length >= next.total) break;
  }
  return { time, nodes };
}

const states = ['in-sync', 'behind', 'refusing'] as const;

function decodeNode(fields: Fields): NodeEntry {
  return {
    id: fields.text('id'),
    gateway: fields.text('gateway'),
    gatewayExists: fields.flag('gatewayExists'),
    dialect: fields.optionalText('dialect'),
    variant: fields.text('variant'),
    peer: fields.text('peer'),
    identifiedBy: fields.text('identifiedBy'),
    connectedSince: fields.text('connectedSince'),
    state: fields.word('state', states),
    types: fields.list('types', (entry, path) => decodeType(new Fields(entry, path))),
  };
}

function decodeType(fields: Fields): TypeEntry {
  return {
    typeUrl: fields.text('typeUrl'),
    known: fields.flag('known'),
    state: fields.word('state', states),
    current: fields.optionalText('current'),
    sent: decodeVersion(fields.optionalObject('sent')),
    acked: decodeVersion(fields.optionalObject('acked')),
    lagSeconds: fields.optionalNumber('lagSeconds'),
    rejection: decodeRejection(fields.optionalObject('rejection')),
  };
}

function decodeVersion(fields: Fields | undefined): VersionEntry | undefined {
  return fields && { version: fields.text('version'), at: fields.text('at') };
}

function decodeRejection(fields: Fields | undefined): RejectionEntry | undefined {
  return (
    fields && {
      message: fields.text('message'),
      at: fields.text('at'),
      diagnostics: fields.list('diagnostics', (entry, path) => {
        const one = new Fields(entry, path);
        return { resource: one.text('resource'), severity: one.text('severity'), message: one.text('message') };
      }),
    }
  );
}
