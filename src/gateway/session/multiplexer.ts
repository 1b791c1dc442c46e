import { createPeer } from '../rpc/peer.ts';
import { createTargetFailures } from '../upstream/target-failures.ts';
import { createTargetHealth } from '../upstream/target-health.ts';
import { isCurrent } from './authorization.ts';
import { createMcpSession, type McpSession, type SharedState } from './mcp-session.ts';
import type { ClientTransport, Sender, Session, SessionParts } from './model.ts';
import { createSharedListing } from './shared-listing.ts';
import { createSubscriptionBudget } from './subscriptions.ts';
import { createUiOwners } from './ui-owners.ts';
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
      shared.uiOwners.forget(target);
    }
    shared.sharedListing.drop(change.targets);
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
  const uiOwners = createUiOwners(parts.clock, parts.log);
  const subscriptionBudget = createSubscriptionBudget();
  return { failures, health, sharedListing, upstreamState, uiOwners, subscriptionBudget };
}
