import type { Caller } from '../model.ts';
import { createPeer } from '../rpc/peer.ts';
import { createMcpSession, type McpSession, type SharedState } from './mcp-session.ts';
import type { ClientTransport, Session, SessionParts } from './model.ts';
import { createTargetFailures } from './target-failures.ts';

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
  const shared: SharedState = { failures: createTargetFailures(parts.clock, parts.log), hints: new Map() };
  const sessions = new Set<McpSession>();
  const unsubscribe = parts.config.subscribe((change) => {
    for (const target of change.targets) {
      shared.failures.forget(target);
      shared.hints.delete(target);
    }
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
      await Promise.all([...sessions].map((session) => session.close()));
      sessions.clear();
    },
  };
}
