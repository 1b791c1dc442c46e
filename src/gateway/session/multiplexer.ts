import { createPeer } from '../rpc/peer.ts';
import { isCurrent } from './authorization.ts';
import { createMcpSession, type McpSession, type SharedState } from './mcp-session.ts';
import type { ClientTransport, Sender, Session, SessionParts } from './model.ts';
import { createTargetFailures } from './target-failures.ts';
import { createUiOwners } from './ui-owners.ts';

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
  const shared: SharedState = {
    failures: createTargetFailures(parts.clock, parts.log),
    hints: new Map(),
    uiOwners: createUiOwners(parts.clock, parts.log),
  };
  const sessions = new Set<McpSession>();
  const unsubscribe = parts.config.subscribe((change) => {
    for (const target of change.targets) {
      shared.failures.forget(target);
      shared.hints.delete(target);
      shared.uiOwners.forget(target);
    }
    for (const session of sessions) session.configChanged(change);
  });

  return {
    open(transport) {
      const peer = createPeer<Sender>({
        maxInFlight,
        send(message, { to = transport.stream() }) {
          to?.send(message);
          return Promise.resolve();
        },
        request: (request, sender) => session.handle({ ...request, caller: sender.caller, sender }),
        settled: (sender) => sender.settled(),
        // `initialized` and `roots/list_changed` need no action; the peer itself handles `cancelled`.
        notification: () => {},
      });
      const session = createMcpSession(parts, shared, {
        notify({ method, params }, mayReceive, to) {
          const reader = (to ?? transport.stream())?.caller;
          if (reader === undefined || !isCurrent(reader, parts.clock) || !mayReceive(reader)) return;
          peer.notify(method, params, to);
        },
      });
      sessions.add(session);
      return {
        receive: peer.receive,
        isInFlight: peer.isInFlight,
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
