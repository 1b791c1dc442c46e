import type { Clock } from '../../edges.ts';
import type { FairTurns } from '../../rate/fair-turns.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { hasSameClaims, isCurrent } from '../callers.ts';
import type { Caller, TargetState } from '../model.ts';
import type { Message } from '../rpc/model.ts';
import { createPeer, type Peer } from '../rpc/peer.ts';
import { createListMemory } from '../upstream/answer-limits.ts';
import { createTargetCircuit, type TargetCircuit } from '../upstream/health/target-circuit.ts';
import { createTargetFailures } from '../upstream/health/target-failures.ts';
import { createTargetHealth } from '../upstream/health/target-health.ts';
import { connectionRequest, createTargetStates } from '../upstream/health/target-states.ts';
import { createGivenLists } from './change-notices.ts';
import { createClientRequestBudget } from './client-requests.ts';
import { createDecisionLog } from './decisions/decision-log.ts';
import { createMissingScope, type MissingScope } from './decisions/step-up.ts';
import { beginsWork, createInFlight, drain, shuttingDown } from './drain.ts';
import { createHeaderRules } from './lists/header-rules.ts';
import { listMethods } from './lists/list-pages.ts';
import { createSharedListing } from './lists/shared-listing.ts';
import { createMcpSession, type McpSession, type SharedState } from './mcp-session.ts';
import type {
  Client,
  ClientStream,
  ClientTransport,
  MayReceive,
  PartOf,
  Sender,
  Session,
  SessionParts,
} from './model.ts';
import { createNames } from './names/names.ts';
import { createUiOwners } from './names/ui-owners.ts';
import { createTargetTurnstile } from './routing/target-turnstile.ts';
import { createSessionFanOut, type SessionFanOut } from './session-fan-out.ts';
import { createSubscriptionBudget } from './subscriptions.ts';
import { TaskTables } from './tasks/task-tables.ts';
import { createUpstreamState, tryConnection, type UpstreamState } from './upstream-sessions.ts';

/** All targets as one MCP server, for any number of clients. */
export interface Multiplexer {
  /** Opens the session of one client over its transport. */
  open(transport: ClientTransport): Session;
  /** Call it before a request is received; see {@link MissingScope}. */
  readonly missingScope: MissingScope;
  targetState(target: string): TargetState;
  /** Open sessions. */
  sessions(): number;
  /**
   * Refuses what begins something new, and waits until no request is in flight, and no client is expected to ask about
   * a task, at most for this time in milliseconds. Requests that are in flight after that get an error.
   */
  drain(limit: number): Promise<void>;
  /**
   * Returns whether a message is refused because of a drain. Whatever lets requests in flight come to an end is not.
   *
   * @param hasSession whether its client has a session, in which a request continues no earlier one
   */
  refuses(message: Message, hasSession: boolean): boolean;
  /** Closes every session. Resolves when the sessions with targets are terminated. */
  stop(): Promise<void>;
}

/** Requests of one client in flight at the same time. */
const maxInFlight = 256;

/** The same where a fleet of clients without handshake shares a session: what one caller may have open at once. */
const maxInFlightOfFleet = 2_048;

/**
 * Creates the server. Sessions follow the changes of the configuration.
 *
 * @param turns of what takes long, such as large answers of targets
 */
export function createMultiplexer(parts: SessionParts, turns: FairTurns): Multiplexer {
  const sessions = new Set<McpSession>();
  const peers = new Set<Peer<Incoming, Delivery>>();
  /** Changes of the configuration so far. */
  let changes = 0;
  const changesSoFar = (): number => changes;
  const inFlight = createInFlight();
  const fanOut = createSessionFanOut(sessions, parts);
  const shared = createSharedState(parts, fanOut, turns);
  const unsubscribe = parts.config.subscribe((change) => {
    changes += 1;
    forgetTargets(shared, change.targets);
    if (change.targets.length > 0) for (const session of sessions) session.dropTargets(change.targets);
    fanOut.changed(change);
  });

  return {
    open(transport) {
      const peer = createPeer<Incoming, Delivery>({
        maxInFlight: transport.client === undefined ? maxInFlight : maxInFlightOfFleet,
        send(message, { to }) {
          to?.stream.send(forReader(message, to, parts.clock), to.mayReceive, to.partOf);
          return Promise.resolve();
        },
        request(request, { sender, decides }) {
          const isRefused = inFlight.isDraining() && beginsWork(request, transport.client === undefined);
          if (isRefused) return Promise.reject(shuttingDown());
          return session.handle({ ...request, caller: sender.caller, sender, decides });
        },
        settled: ({ sender }) => sender.settled(),
        // The peer itself handles `cancelled`.
        notification: (method, params, { sender }) => session.notified(method, params, sender.caller),
      });
      const session = createMcpSession(parts, shared, createClient(peer, transport, parts.clock), transport.client);
      sessions.add(session);
      peers.add(peer);
      return {
        receive(message, sender) {
          // A peer that is closed settles nothing.
          if (peers.has(peer)) peer.receive(message, incoming(inFlight.counted(message, sender), changesSoFar));
        },
        isInFlight: peer.isInFlight,
        refusal: peer.refusal,
        protocolVersion: session.protocolVersion,
        close() {
          sessions.delete(session);
          peers.delete(peer);
          peer.close(new Error('the session has ended'));
          return session.close();
        },
      };
    },
    missingScope: createMissingScope({ ...parts, decisions: shared.decisions }, shared.names),
    targetState: (target) => targetStateIn(shared, target),
    sessions: () => sessions.size,
    refuses: (message, hasSession) =>
      inFlight.isDraining() && 'method' in message && 'id' in message && beginsWork(message, hasSession),
    drain: (limit) =>
      drain({ ...parts, inFlight, tasks: () => shared.taskTables.awaited() }, limit, () => {
        for (const peer of peers) peer.refuse(shuttingDown());
      }),
    async stop() {
      unsubscribe();
      shared.circuit.stop();
      shared.health.stop();
      shared.taskTables.close();
      await Promise.all([shared.sharedListing.stop(), ...[...sessions].map((session) => session.close())]);
      sessions.clear();
      shared.decisions.stop();
    },
  };
}

/** A stream, and who may read a message that is sent on it if it is delivered later. */
interface Delivery {
  readonly stream: ClientStream;
  readonly mayReceive: MayReceive;
  readonly partOf?: PartOf | undefined;
}

/** A message of a client, and the delivery of its response as it was decided last. */
interface Incoming extends Delivery {
  readonly sender: Sender;
  readonly decides: (mayReceive: MayReceive, partOf?: PartOf) => void;
}

/** @param changes counts the changes of the configuration */
function incoming(sender: Sender, changes: () => number): Incoming {
  let decision: Pick<Delivery, 'mayReceive' | 'partOf'> = { mayReceive: whoeverIs(sender.caller, changes) };
  return {
    sender,
    stream: sender,
    get mayReceive() {
      return decision.mayReceive;
    },
    get partOf() {
      return decision.partOf;
    },
    decides(mayReceive, partOf) {
      decision = { mayReceive, partOf };
    },
  };
}

/** Allows a caller with the same claims, as long as the rules are the same. */
function whoeverIs(caller: Caller, changes: () => number): MayReceive {
  const before = changes();
  return (reader) => hasSameClaims(reader, caller) && changes() === before;
}

/** The client behind a peer; see {@link Client}. */
function createClient(peer: Peer<Incoming, Delivery>, transport: ClientTransport, clock: Clock): Client {
  return {
    reader: () => transport.stream()?.reader,
    notify({ method, params }, mayReceive, to) {
      const delivery = deliverTo(to ?? transport.stream(), mayReceive, clock);
      if (delivery !== undefined) peer.notify(method, params, delivery);
    },
    request({ method, params, signal }, mayReceive, to) {
      const delivery = deliverTo(to ?? transport.stream(), mayReceive, clock);
      if (delivery === undefined) return Promise.reject(new Error('nobody who may have the request reads a stream'));
      const mayAnswer = ({ sender: { caller } }: Incoming): boolean => isCurrent(caller, clock) && mayReceive(caller);
      return peer.request(method, params, { signal, to: delivery, mayAnswer });
    },
  };
}

/** Returns `undefined` when somebody reads the stream who may not have the message now. */
function deliverTo(stream: ClientStream | undefined, mayReceive: MayReceive, clock: Clock): Delivery | undefined {
  if (stream === undefined) return undefined;
  const { reader } = stream;
  if (reader !== undefined && !(isCurrent(reader, clock) && mayReceive(reader))) return undefined;
  return { stream, mayReceive };
}

/**
 * A client that was asked something is told that it is cancelled whatever it may have by then, but not why: the reason
 * is the target's text.
 */
function forReader(message: Message, { stream, mayReceive }: Delivery, clock: Clock): Message {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return message;
  if (deliverTo(stream, mayReceive, clock) !== undefined && stream.reader !== undefined) return message;
  const requestId = message.params?.['requestId'];
  return { ...message, params: requestId === undefined ? {} : { requestId } };
}

function forgetTargets(shared: SharedState, targets: readonly string[]): void {
  for (const target of targets) {
    shared.failures.forget(target);
    shared.health.forget(target);
    shared.circuit.forget(target);
    shared.upstreamState.memories.delete(target);
    shared.uiOwners.forget(target);
    shared.headerRules.forget(target);
    shared.names.index.forget(target);
    shared.upstreamState.kept.forget(target);
  }
  shared.sharedListing.drop(targets);
  shared.taskTables.drop(targets);
}

function targetStateIn({ states, circuit, health }: SharedState, target: string): TargetState {
  return { ...states.of(target), circuit: circuit.stateOf(target), lists: health.failing(target) };
}

function createSharedState(parts: SessionParts, fanOut: SessionFanOut, turns: FairTurns): SharedState {
  const { clock, random, log, counters } = parts;
  const states = createTargetStates(clock);
  const failures = createTargetFailures(clock, log, states, (parts.passHeaders?.length ?? 0) > 0);
  const circuit: TargetCircuit = createTargetCircuit({
    clock,
    random,
    failures,
    connect: (target) => tryConnection(parts, upstreamState, target),
    recovered(target) {
      health.hasten(target);
      fanOut.recovered(
        target,
        listMethods.filter((method) => !health.isLeftOut(target, method)),
      );
    },
  });
  const turnstile = createTargetTurnstile(parts);
  const delayed = (target: string): void => {
    counters.count('gatehouse_gateway_notifications_delayed_total');
    failures.floods(target);
  };
  const limits = new LogThrottle(clock, log);
  const kept = createListMemory({
    evict(target) {
      forgetLists(upstreamState, target);
      uiOwners.forget(target);
      names.index.forget(target);
    },
    crowded: warnOfCrowding(limits),
  });
  const upstreamState = createUpstreamState({ circuit, kept, turnstile, delayed }, turns);
  const sharedListing = createSharedListing(parts, upstreamState, {
    failed: (target, reason) => failures.failed(target, connectionRequest, reason),
    standsIn: (target, method) => fanOut.recovered(target, [method]),
  });
  const health = createTargetHealth({
    clock,
    random,
    failures,
    probe: sharedListing.probe,
    recovered: (target, method) => fanOut.recovered(target, [method]),
  });
  const uiOwners = createUiOwners(clock, log, kept);
  const { targets } = parts.config;
  const onlyTarget = (): string | undefined => (targets.size === 1 ? targets.keys().next().value : undefined);
  const names = createNames(parts.names ?? 'qualified', onlyTarget, (name) => targets.has(name), kept);
  const subscriptionBudget = createSubscriptionBudget();
  const clientRequestBudget = createClientRequestBudget();
  return {
    failures,
    states,
    health,
    circuit,
    limits,
    decisions: createDecisionLog(parts),
    sharedListing,
    upstreamState,
    uiOwners,
    headerRules: createHeaderRules(parts.clock, parts.log),
    names,
    subscriptionBudget,
    clientRequestBudget,
    taskTables: new TaskTables(parts.clock),
    givenLists: createGivenLists(parts.clock),
    turnstile,
  };
}

/**
 * Makes what a target lists unknown, so that it is listed again when it is needed. The end of a list that is under way
 * says nothing of its beginning then.
 */
function forgetLists({ memories }: UpstreamState, target: string): void {
  const memory = memories.get(target);
  if (memory === undefined) return;
  memory.paramHeaders = { byTool: new Map(), isCut: true };
  memory.taskTools = undefined;
  memory.areToolsListed = false;
  memory.listsForgotten += 1;
}

/** One line for all targets: which of them finds no room depends on the others. */
function warnOfCrowding(limits: LogThrottle): (target: string) => void {
  const reason = 'what is kept of the lists of all targets takes too much memory';
  const message = 'targets that list the most are listed again and again, and some of their names and pages not found';
  return (target) => limits.failed('lists', { reason, message, fields: { target } });
}
