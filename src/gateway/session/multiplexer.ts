import type { Caller } from '../model.ts';
import { createPeer } from '../rpc/peer.ts';
import { createTargetFailures } from '../upstream/target-failures.ts';
import { createTargetHealth } from '../upstream/target-health.ts';
import { createMcpSession, type McpSession, type SharedState } from './mcp-session.ts';
import type { ClientTransport, Session, SessionParts } from './model.ts';
import { createSharedListing } from './shared-listing.ts';
import { createUpstreamState } from './upstream-sessions.ts';

/** All targets as one MCP server, for any number of clients. */
export interface Multiplexer {
  /** Opens the session of one client over its transport. */
  open(transport: ClientTransport): Session;
  /** Closes every session. Resolves when the sessions with targets are terminated. */
  stop(): Promise<void>;
}

/** Requests of one client in flight at the same time. */
const maxInFlight = 256;

/** Creates the server. Sessions follow the changes of the configuration. */
export function createMultiplexer(parts: SessionParts): Multiplexer {
  const sessions = new Set<McpSession>();
  const shared = createSharedState(parts, sessions);
  const unsubscribe = parts.config.subscribe((change) => {
    for (const target of change.targets) {
      shared.failures.forget(target);
      shared.health.forget(target);
      shared.upstreamState.memories.delete(target);
    }
    shared.sharedListing.drop(change.targets);
    for (const session of sessions) session.configChanged(change);
  });

  return {
    open(transport) {
      const peer = createPeer<Caller>({
        ...transport,
        maxInFlight,
        request: (request, caller) => session.handle({ ...request, caller }),
        // `initialized` and `roots/list_changed` need no action; the peer itself handles `cancelled`.
        notification: () => {},
      });
      const session = createMcpSession(parts, shared, peer);
      sessions.add(session);
      return {
        receive: peer.receive,
        protocolVersion: session.protocolVersion,
        close() {
          sessions.delete(session);
          peer.close(new Error('the session has ended'));
          return session.close();
        },
      };
    },
    async stop() {
      unsubscribe();
      shared.health.stop();
      await Promise.all([shared.sharedListing.stop(), ...[...sessions].map((session) => session.close())]);
      sessions.clear();
    },
  };
}

function createSharedState(parts: SessionParts, sessions: ReadonlySet<McpSession>): SharedState {
  const upstreamState = createUpstreamState();
  const failures = createTargetFailures(parts.clock, parts.log);
  const sharedListing = createSharedListing(parts, upstreamState, (target, reason) => {
    failures.failed(target, 'connection', reason);
  });
  const health = createTargetHealth({
    clock: parts.clock,
    random: parts.random,
    failures,
    probe: sharedListing.read,
    recovered(target, method) {
      for (const session of sessions) session.targetRecovered(target, method);
    },
  });
  return { failures, health, sharedListing, upstreamState };
}
