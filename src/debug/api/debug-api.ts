import type { Logger, LogLevelControl } from '../../edges.ts';
import type { Graph } from '../../graph/model.ts';
import { inTurns, type Pause } from '../../rate/turns.ts';
import type { ChangeLog } from '../change-log.ts';
import type { DecodeResource } from '../resource-decoder.ts';
import { json, RequestError, type Route } from '../routes.ts';
import { countEntries, mostEntries, type SnapshotsParts, snapshotFields, snapshotsView } from '../snapshots-view.ts';
import { changesView } from './changes-view.ts';
import { type ExplainParts, explainView } from './explain-view.ts';
import { graphView } from './graph-view.ts';
import { changeLogging, loggingView } from './logging.ts';
import { nodesView } from './nodes-view.ts';
import { type ObjectParts, objectView } from './object-view.ts';
import { type ProblemParts, ProblemReport } from './problem-report.ts';
import { problemsView } from './problems-view.ts';
import { gatewayIn } from './query.ts';
import { type StatusParts, statusView, versionView } from './status-view.ts';

/** Everything that the endpoints show, read-only but for the level of the log. */
export interface DebugApiParts
  extends Omit<ObjectParts, 'decode'>,
    ExplainParts,
    Omit<ProblemParts, 'explainer'>,
    StatusParts,
    Pick<SnapshotsParts, 'digest' | 'problems'> {
  /** Loads what decodes resources, once. */
  readonly decoder: () => Promise<DecodeResource>;
  readonly graph: Graph;
  readonly changes: ChangeLog;
  readonly resources: ObjectParts['resources'];
  /** What the program runs with; nothing secret. */
  readonly config: object;
  readonly logLevel: LogLevelControl;
  readonly log: Logger;
}

/** The endpoints with JSON, by path, and the status for those who follow it. */
export interface DebugApi {
  readonly routes: ReadonlyMap<string, Route>;
  /** Makes a new report of the problems if the last one is old, and computes the status. */
  readonly status: () => Promise<object>;
}

/** Creates the endpoints. Nothing is computed before somebody asks. */
export function createDebugApi(parts: DebugApiParts): DebugApi {
  const report = new ProblemReport(parts);
  const { logLevel, log, placesOf, program, graph, config, changes } = parts;
  type View = (query: URLSearchParams, pause: Pause) => object | Promise<object>;
  const read = (view: View): Required<Pick<Route, 'get'>> => ({
    get: async (query, pause) => json(await view(query, pause), query.has('pretty')),
  });
  type Decoding = ObjectParts & SnapshotsParts & Pick<DebugApiParts, 'clock'>;
  const decoding = (view: (parts: Decoding, ...asked: Parameters<View>) => ReturnType<View>): Route =>
    read(async (...asked) => view({ ...parts, decode: await parts.decoder() }, ...asked));
  const setLevel: Route['put'] = (body, query) => json(changeLogging(logLevel, log, body), query.has('pretty'));
  const explain: Route['post'] = async (body, query, pause) =>
    json(await explainView(parts, body, pause), query.has('pretty'));
  const status = async (): Promise<object> => {
    // Half a world would be full of missing objects.
    if (parts.synced()) await report.get();
    return statusView(parts, report);
  };
  const routes = new Map<string, Route>([
    ['/debug/status', read(status)],
    ['/debug/graph', read((query, pause) => inTurns(graphView(parts, query), parts.clock, pause))],
    ['/debug/object', decoding(objectView)],
    ['/debug/nodes', read((query) => nodesView(parts, query))],
    ['/debug/problems', read((query) => problemsView(report, placesOf, query))],
    ['/debug/changes', read((query) => changesView(changes, query))],
    ['/debug/config', read(() => ({ version: 1, ...config }))],
    ['/debug/explain', { post: explain }],
    ['/debug/logging', { ...read(() => loggingView(logLevel)), put: setLevel, post: setLevel }],
    ['/version', read(() => versionView(program))],
    ['/snapshots/xds', decoding(snapshotsOf)],
    ['/snapshots/graph', read((query) => dumpOf(graph, query))],
  ]);
  return { routes, status };
}

/** The keys of every collection take seconds to write down in a large world. */
function dumpOf(graph: Graph, query: URLSearchParams): object {
  const dump = graph.dump();
  if (!query.has('keys')) return dump;
  const entries = dump.reduce((sum, { size }) => sum + size, 0);
  if (entries <= mostEntries) return graph.dump({ keys: true });
  throw new RequestError(413, `the graph has ${entries} keys, and one answer at most ${mostEntries}: leave ?keys out.`);
}

/** @throws RequestError when the answer would be so long that writing it delayed everything else */
async function snapshotsOf(
  parts: SnapshotsParts & Pick<DebugApiParts, 'clock'>,
  query: URLSearchParams,
  pause: Pause,
): Promise<object> {
  const gateway = gatewayIn(query);
  const nodes = query.get('nodes') ?? 'true';
  if (nodes !== 'true' && nodes !== 'false') throw new RequestError(400, 'nodes is true or false.');
  const fields = query.get('fields')?.split(',');
  const unknown = fields?.find((name) => !snapshotFields.some((known) => known === name));
  if (unknown !== undefined) throw new RequestError(400, `fields are some of ${snapshotFields.join(', ')}.`);
  const selection = { gateway, nodes: nodes === 'true', fields: fields && new Set(fields) };
  const entries = countEntries(parts, selection);
  if (entries > mostEntries) throw new RequestError(413, tooMany(entries));
  return inTurns(snapshotsView(parts, selection), parts.clock, pause);
}

function tooMany(entries: number): string {
  return `this would show ${entries} resources, statuses and nodes (each of which counts tenfold), and one answer has at most ${mostEntries}: ask for one Gateway with ?gateway=, leave nodes out with ?nodes=false, choose members with ?fields=, or use the pages of /debug/graph, /debug/nodes and /debug/problems.`;
}
