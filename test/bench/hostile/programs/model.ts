import type { JWK } from 'jose';
import type { CounterName, GaugeName } from '../../../../src/edges.ts';
import type { GatewayCounterName } from '../../../../src/gateway/model.ts';

/** Addresses and secrets of a world, as its attackers have them. A plain object: it is sent to another process. */
export interface Victim {
  /** Port of the gateway's listener for MCP clients; 0 in a world without a gateway. */
  readonly gateway: number;
  /** Port of the gateway's admin pages, which attackers do not reach: for waiting until it has what they added. */
  readonly admin: number;
  /** Ports of the control plane: ADS, and health and metrics. */
  readonly xds: number;
  readonly metrics: number;
  /** The port of the pages for people. */
  readonly debug: number;
  /** The folder of manifests; a file becomes visible by its rename. */
  readonly folder: string;
  /** The port that the gateway connects to for the Services `default/hostile-1` to `default/hostile-32`. */
  readonly target: number;
  /** The port at which the control plane looks for its API server, in a world of a cluster. */
  readonly apiServer: number;
  /** The issuer's key: the attackers have valid tokens of callers who may do little. */
  readonly issuerKey: JWK;
  /** The port of the issuer: `POST /delay?ms=5000` makes it answer slowly. */
  readonly issuer: number;
}

/** Ends an attack; returns what the attackers got that nobody should get, as a count. */
export type StopAttack = () => number | Promise<number>;

/** Differences of the world from the usual one. */
export interface WorldOptions {
  /** `--list` of the gateway; `all` by default. */
  readonly list?: 'all' | 'filtered';
  /** Where the control plane reads from; a folder by default. Nothing answers for the cluster before the attack. */
  readonly input?: 'folder' | 'cluster';
  /** TLS beside plaintext at the port of the gateways, and keys of issuers from any address that is not loopback. */
  readonly tls?: boolean;
  /** Services of the folder besides the usual ones, each with a target; none by default. */
  readonly services?: number;
  /** `--max-sessions` of the gateway; its default by default. */
  readonly maxSessions?: number;
}

/** A metric of either program by which its operators see an attack. */
type MetricName =
  | CounterName
  | GaugeName
  | GatewayCounterName
  | 'gatehouse_gateway_sessions'
  | 'gatehouse_gateway_target_lists_failing'
  | 'gatehouse_gateway_target_requests_total';

/** What an attack leaves for the operators of the program: the type demands both of each attack. */
export interface Trace {
  /** The metric that it moves. */
  readonly metric: MetricName;
  /** Labels of the series that moves; any series by default. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * What a line of the log says. An attack of the same kind a moment before may have caused it: such lines are limited
   * to one in minutes. Undefined for what is no different from honest use, which the log says nothing of.
   */
  readonly line: string | undefined;
  /** Where the size in the tests is below the limit, so that they see nothing. */
  readonly only?: 'bench';
}

/** One attack of the hostile bench: an entry of a table. */
export interface Attack {
  readonly name: string;
  /** The kind of the fault that was found first: rows of one number were mended together. */
  readonly row: number;
  readonly program: 'gateway' | 'serve';
  /** How many of what the name says: in the bench, and in the tests. */
  readonly amount: { readonly full: number; readonly short: number };
  /** Seconds that it lasts in the bench; 8 by default. */
  readonly seconds?: number;
  readonly world?: WorldOptions;
  readonly trace: Trace;
  start(victim: Victim, amount: number): StopAttack | Promise<StopAttack>;
}

/** Messages to the process of the attackers. */
export type ToAttacker =
  | { readonly kind: 'attack'; readonly name: string; readonly amount: number; readonly victim: Victim }
  | { readonly kind: 'stop' };

/** Messages from the process of the attackers. */
export type FromAttacker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'attacking' }
  | { readonly kind: 'stopped'; readonly got: number };
