/** The answers of the debug endpoint, as `docs/openapi.yaml` describes them. */

export interface NodeCounts {
  readonly inSync: number;
  readonly behind: number;
  readonly refusing: number;
}

export interface Status {
  readonly time: string;
  readonly synced: boolean;
  readonly epoch: number;
  readonly gateways: {
    readonly total: number;
    readonly served: number;
    readonly rejected: number;
    readonly foreign: number;
  };
  readonly targets: number;
  readonly policies: number;
  readonly nodes: NodeCounts;
  readonly problems: { readonly errors: number; readonly warnings: number } | null;
  readonly program: {
    readonly version: string;
    readonly replica: string;
    readonly source: string;
    readonly startedAt: string;
    readonly uptimeSeconds: number;
  };
}

export interface Paged<T> {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly items: readonly T[];
}

export interface GatewayRow {
  readonly gateway: string;
  readonly state: 'served' | 'rejected' | 'foreign' | 'missing';
  readonly message: string | null;
  readonly listeners: number;
  readonly targets: number;
  readonly policies: number;
  readonly nodes: NodeCounts;
}

export interface Listener {
  readonly name: string | null;
  readonly port?: number | null;
  readonly protocol?: string | null;
  readonly allows?: string;
  readonly accepted: boolean;
  readonly message: string | null;
}

export interface Target {
  readonly name: string;
  readonly service: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
}

export interface Policy {
  readonly policy: string;
  readonly attached: boolean;
  readonly rules: number;
  readonly message: string | null;
}

export interface GatewayDetail extends Omit<GatewayRow, 'listeners' | 'targets' | 'policies'> {
  readonly listeners: readonly Listener[];
  readonly targets: Paged<Target>;
  readonly policies: Paged<Policy>;
}

export type SyncState = 'in-sync' | 'behind' | 'refusing';

export interface NodeType {
  readonly typeUrl: string;
  readonly known: boolean;
  readonly state: SyncState;
  readonly current: string | null;
  readonly sent: { readonly version: string; readonly at: string } | null;
  readonly acked: { readonly version: string; readonly at: string } | null;
  readonly lagSeconds: number | null;
  readonly rejection: {
    readonly message: string;
    readonly at: string;
    readonly diagnostics: readonly { readonly resource: string; readonly severity: string; readonly message: string }[];
  } | null;
  readonly counts: {
    readonly requests: number;
    readonly responses: number;
    readonly acks: number;
    readonly nacks: number;
  };
}

export interface GatewayNode {
  readonly id: string;
  readonly gateway: string;
  readonly dialect: string | null;
  readonly variant: string;
  readonly peer: string;
  readonly identifiedBy: string;
  readonly connectedSince: string;
  readonly state: SyncState;
  readonly types: readonly NodeType[];
}

export interface Nodes {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly nodes: readonly GatewayNode[];
}

export interface Told {
  readonly of: string | null;
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface Grant {
  readonly gateway?: string;
  readonly policy: string;
  readonly rule: number;
  readonly match: number;
  readonly claim: string;
  readonly value: string;
  readonly kind: string;
  readonly name: string;
  readonly served: boolean;
  readonly place?: string;
}

export interface ObjectDetail {
  readonly kind: string;
  readonly key: string;
  readonly place: string | null;
  readonly manifest: string | null;
  readonly conditions: readonly Told[];
  readonly wire: readonly {
    readonly dialect: string;
    readonly typeUrl: string;
    readonly name: string;
    readonly version: string;
    readonly resource: object;
  }[];
  readonly gateways: readonly string[];
  readonly grants: { readonly total: number; readonly items: readonly Grant[] };
}

export interface Reason {
  readonly code: string;
  readonly at?: { readonly kind: string; readonly key: string };
  readonly place?: string;
  readonly message: string;
}

export interface Answer {
  readonly gateway: string;
  readonly request?: { readonly kind: string; readonly name: string };
  readonly verdict: 'allowed' | 'denied' | 'grants';
  readonly by?: Grant;
  readonly reasons?: readonly Reason[];
  readonly remarks?: readonly Reason[];
  readonly omitted?: number;
  readonly of?: string;
  readonly grants?: readonly Grant[];
  readonly targets?: readonly string[];
  readonly notes: readonly string[];
}

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly from: 'input' | 'status' | 'hint';
  readonly kind: string | null;
  readonly key: string | null;
  readonly field: string;
  readonly place: string | null;
  readonly message: string;
}

export interface Problems extends Paged<Problem> {
  readonly errors: number;
  readonly warnings: number;
  readonly listed: number;
  readonly kinds: readonly { readonly kind: string; readonly errors: number; readonly warnings: number }[];
}

export interface Change {
  readonly epoch: number;
  readonly at: string;
  readonly cause: 'start' | 'change';
  readonly objects: readonly { readonly kind: string; readonly key: string; readonly change: 'set' | 'deleted' }[];
  readonly total: number;
  readonly encodeMilliseconds: number;
  readonly encoded: Readonly<Record<string, number>>;
  readonly pushes: number;
  readonly pushMilliseconds: number | null;
  readonly acks: number;
  readonly ackMilliseconds: number | null;
  readonly nacks: number;
}

/** The place in the page: the first parts of the path after `#/`, and its query. */
export interface Route {
  readonly view: string;
  /** The rest of the path, such as `default/mcp-gateway`. */
  readonly rest: string;
  readonly query: URLSearchParams;
}

/** The state of the stream of events. */
export type Live =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | { readonly state: 'broken'; readonly since: number; readonly retryAt: number };

/** What the last question about an access was, and its answer. */
export interface Asked {
  readonly form: Readonly<Record<string, string>>;
  readonly answer?: Answer;
  readonly error?: string;
}

/** Everything that is shown. */
export interface State {
  route: Route;
  live: Live;
  status: Status | undefined;
  /** The data of the view, by the route that they were read for. */
  data: { readonly route: string; readonly value: unknown } | undefined;
  error: string | undefined;
  asked: Asked | undefined;
}
