import type { ConfigChange } from '../model.ts';
import type { Result } from '../rpc/model.ts';
import { implementation, protocolVersions } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { TargetFailures } from '../upstream/target-failures.ts';
import type { TargetHealth } from '../upstream/target-health.ts';
import { createAuthorization } from './authorization.ts';
import { isListMethod, type ListMethod } from './list-pages.ts';
import { createLists } from './lists.ts';
import type { Client, ClientRequest, SessionParts } from './model.ts';
import { createNotifications, listChangedMethods } from './notifications.ts';
import { createRequestRouter } from './request-router.ts';
import type { SharedListing } from './shared-listing.ts';
import { createSubscriptions } from './subscriptions.ts';
import { createUpstreamSessions, type UpstreamState } from './upstream-sessions.ts';

/** The MCP server of one client session: all targets behind one set of methods. */
export interface McpSession {
  /** Handles a request. Throws the {@link RpcError} of the error response. */
  handle(request: ClientRequest): Promise<Result>;
  /** The negotiated MCP revision; `undefined` before the handshake. */
  protocolVersion(): string | undefined;
  /** Drops sessions with changed targets, and notifies the client of lists that may have changed. */
  configChanged(change: ConfigChange): void;
  /** Tells the client of a list that it was given without this target, which answers now. */
  targetRecovered(target: string, method: ListMethod): void;
  /** Aborts the requests to targets and ends the sessions with them. */
  close(): Promise<void>;
}

/** State that all sessions share. */
export interface SharedState {
  readonly failures: TargetFailures;
  readonly health: TargetHealth<ListMethod>;
  readonly sharedListing: SharedListing;
  readonly upstreamState: UpstreamState;
}

/** The server capabilities. Requests of targets to the client (sampling, elicitation, roots) are not forwarded. */
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

/** Creates a session. Connects to a target when a request first needs it. */
export function createMcpSession(
  parts: SessionParts,
  { failures, health, sharedListing, upstreamState }: SharedState,
  peer: Client,
): McpSession {
  const ended = new AbortController();
  let version: string | undefined;

  /** Sends nothing before the handshake, as MCP requires. */
  const client: Client = {
    notify: (...notification) => {
      if (version !== undefined) peer.notify(...notification);
    },
  };
  const authorization = createAuthorization(parts);
  const subscriptions = createSubscriptions(authorization, client);
  const notifications = createNotifications(authorization, subscriptions, client);
  const events = {
    notification: notifications.receive,
    connected: (target: string) => void restore(target).catch(() => {}),
    failed: (target: string, reason: Error) => failures.failed(target, 'connection', reason),
  };
  const upstreams = createUpstreamSessions(parts, upstreamState, events, ended.signal);
  const lists = createLists({ ...parts, upstreams, shared: sharedListing, health, authorization, client });
  const routed = createRequestRouter({ authorization, upstreams, lists, notifications, subscriptions, failures });

  /**
   * Repeats the client's log level and its subscriptions, as far as they are still allowed, at a newly connected
   * target.
   */
  const restore = async (target: string): Promise<void> => {
    await upstreams.restoreLogLevel(target);
    const upstream = upstreams.opened(target);
    const allowed = subscriptions.allowedAt(target);
    for (const { params } of allowed) await upstream?.request('resources/subscribe', params, ended.signal);
  };

  const local: Readonly<Record<string, (request: ClientRequest) => Result>> = {
    ping: () => ({}),
    initialize({ params }) {
      const requested = params?.['protocolVersion'];
      version = protocolVersions.find((supported) => supported === requested) ?? protocolVersions[0];
      return { protocolVersion: version, capabilities, serverInfo: { ...implementation } };
    },
    'logging/setLevel'({ params }) {
      if (typeof params?.['level'] !== 'string') throw new RpcError(errorCode.invalidParams, 'Invalid params: level');
      upstreams.setLogLevel(params);
      return {};
    },
  };

  return {
    protocolVersion: () => version,
    async handle(request) {
      const { method } = request;
      if (isListMethod(method)) return lists.handle(method, request);
      const handler = ownMember(local, method) ?? ownMember(routed, method);
      if (handler === undefined) throw new RpcError(errorCode.methodNotFound, 'Method not found');
      return handler(request);
    },
    configChanged({ targets, rbacConfigs }) {
      upstreams.drop(targets);
      const listsChanged = targets.length > 0 || (parts.list === 'filtered' && rbacConfigs.length > 0);
      if (listsChanged) for (const method of listChangedMethods) client.notify(method);
    },
    targetRecovered: lists.recovered,
    async close() {
      ended.abort(new Error('the session has ended'));
      await upstreams.close();
    },
  };
}

/** Looks up a method without the prototype: the client sends the name, and `constructor` is no method. */
function ownMember<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
