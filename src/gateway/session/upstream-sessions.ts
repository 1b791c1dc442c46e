import type { FairTurns } from '../../rate/fair-turns.ts';
import type { KeptEntries } from '../../rate/kept-entries.ts';
import type { IncomingRequest, Params, Result } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { AnswerBudget } from '../upstream/answer-limits.ts';
import { createAnswerBudget } from '../upstream/answer-limits.ts';
import type { TargetCircuit } from '../upstream/health/target-circuit.ts';
import type {
  Capabilities,
  InputMode,
  PassedHeaders,
  RequestTimeout,
  TargetMemory,
  UpstreamParts,
  UpstreamSession,
} from '../upstream/model.ts';
import { createUpstreamSession } from '../upstream/upstream-session.ts';
import type { SessionParts } from './model.ts';
import { compareBytes } from './names/qualified-names.ts';
import type { TargetTurnstile } from './routing/target-turnstile.ts';

/** The sessions with targets on behalf of one client session. */
export interface UpstreamSessions {
  /** Returns the session with a target. `undefined`: there is no such target, or the client session has ended. */
  get(target: string): UpstreamSession | undefined;
  /** Returns the session with a target if one is in use; does not create one. */
  opened(target: string): UpstreamSession | undefined;
  /** Returns whether there is such a target. */
  isTarget(name: string): boolean;
  /** The targets with a session in use. */
  openedTargets(): readonly string[];
  /** The names of all targets, sorted by bytes. */
  targetNames(): readonly string[];
  /** Forgets the sessions with targets that were removed or changed: what those say from now on is not heard. */
  drop(targets: readonly string[]): void;
  /** Ends the sessions that were dropped, and the requests in flight there. */
  closeDropped(): void;
  /**
   * Sets the log level (`logging/setLevel`) at the targets that are in use, and at others after their handshake. Before
   * the first call, every target uses its own default.
   */
  setLogLevel(params: Params): void;
  /** Repeats the last {@link setLogLevel} at one target, for use after its handshake. */
  restoreLogLevel(target: string): Promise<void>;
  close(): Promise<void>;
}

/** Events of the sessions with targets. */
export interface UpstreamEvents {
  notification(target: string, method: string, params: Params | undefined, about: number | undefined): void;
  /** Handles a request of a target; see `UpstreamParts.request`. */
  request(target: string, request: IncomingRequest, about: number | undefined): Promise<Result>;
  /** The capabilities of the client, which targets are told of. */
  clientCapabilities(): Capabilities;
  /** The headers of the last request of the client that targets get, too. */
  passedHeaders(): PassedHeaders | undefined;
  /** What a target gets that asks for input by its result. */
  readonly input: InputMode;
  /** The handshake with a target is complete; see `UpstreamParts.connected`. */
  connected(target: string, isReopened: boolean): void;
  /** A connection was lost, or works in part only, while no request reports it. */
  failed(target: string, reason: Error): void;
}

/** What all sessions with targets share. */
export interface UpstreamState {
  /** What is known of each target, by name. */
  readonly memories: Map<string, TargetMemory>;
  /** The budget for the unfinished messages and lists of all targets, by target. */
  readonly budget: AnswerBudget;
  /** Room for what is kept of the lists of all targets. */
  readonly kept: KeptEntries;
  readonly circuit: Pick<TargetCircuit, 'refusal' | 'retry' | 'failed' | 'whenClosed'>;
  readonly turnstile: TargetTurnstile;
  /** See `UpstreamParts.delayed`. */
  delayed(target: string): void;
}

/** See {@link SessionParts.callTimeout}. */
const defaultCallTimeout = 600_000;

/**
 * Starts with the whole budget.
 *
 * @param turns of large answers
 */
export function createUpstreamState(
  shared: Pick<UpstreamState, 'circuit' | 'kept' | 'turnstile' | 'delayed'>,
  turns: FairTurns,
): UpstreamState {
  return { memories: new Map(), budget: createAnswerBudget(turns), ...shared };
}

/**
 * The events of sessions that no client is behind: nothing was set up there, and nobody is told.
 *
 * @param failed see {@link UpstreamEvents.failed}
 */
export function eventsOfNobody(failed: UpstreamEvents['failed']): UpstreamEvents {
  return {
    input: 'refused',
    passedHeaders: () => undefined,
    notification: () => {},
    request: () => Promise.reject(new RpcError(errorCode.methodNotFound, 'Method not found')),
    clientCapabilities: () => ({}),
    connected: () => {},
    failed,
  };
}

/**
 * Sends a request of the gateway itself whose answer nobody waits for, unless the target leaves too many such messages
 * without one.
 */
export function sendUnawaited(
  { budget }: Pick<UpstreamState, 'budget'>,
  { target, upstream }: { readonly target: string; readonly upstream: Pick<UpstreamSession, 'request'> },
  [method, params]: readonly [method: string, params: Params],
  signal: AbortSignal,
): void {
  if (!budget.unaccepted.acquire(target)) return;
  void upstream
    .request(method, params, signal)
    .catch(() => {})
    .finally(() => budget.unaccepted.release(target));
}

/** Connects to a target whatever its circuit breaker says, in the name of nobody, and disconnects. */
export async function tryConnection(parts: SessionParts, state: UpstreamState, target: string): Promise<void> {
  const ended = new AbortController();
  const circuit = { ...state.circuit, refusal: () => undefined, retry: () => Promise.resolve(), failed: () => {} };
  const upstreams = createUpstreamSessions(
    parts,
    { ...state, circuit },
    eventsOfNobody(() => {}),
    ended.signal,
  );
  try {
    await upstreams.get(target)?.capabilities(ended.signal);
  } finally {
    ended.abort();
    void upstreams.close();
  }
}

/**
 * Creates the sessions on first use. Opens no connection: an {@link UpstreamSession} connects on its first request.
 *
 * @param signal aborted when the client session ends
 */
export function createUpstreamSessions(
  parts: SessionParts,
  { memories, budget, kept, circuit, turnstile, delayed }: UpstreamState,
  events: UpstreamEvents,
  signal: AbortSignal,
): UpstreamSessions {
  const { config } = parts;
  const upstreams = new Map<string, UpstreamSession>();
  const dropped = new Set<UpstreamSession>();
  let logLevel: Params | undefined;

  const open = (wanted: string): UpstreamSession | undefined => {
    const target = config.targets.get(wanted);
    if (target === undefined || !isValidName(wanted)) return undefined;
    const { name } = target;
    const upstream: UpstreamSession = createUpstreamSession({
      target,
      fetch: parts.fetchFor(target),
      clock: parts.clock,
      random: parts.random,
      memory: memoryOf(memories, name),
      requestTimeout: (method) => timeoutOf(parts, name, method),
      budget,
      kept,
      enter: () => turnstile.enter(name),
      delayed: () => delayed(name),
      clientCapabilities: events.clientCapabilities(),
      passedHeaders: events.passedHeaders,
      input: events.input,
      ...ownEvents(name, { events, circuit }, () => upstreams.get(name) === upstream),
    });
    upstreams.set(name, upstream);
    return upstream;
  };

  const tellLogLevel = async (target: string): Promise<void> => {
    const upstream = upstreams.get(target);
    if (upstream === undefined || logLevel === undefined) return;
    if (!Object.hasOwn(await upstream.capabilities(signal), 'logging')) return;
    await upstream.request('logging/setLevel', logLevel, signal);
  };

  const restoreLogLevel = oneAtATime(tellLogLevel);

  return {
    // A handler may have awaited a list while the session was closed: nothing would close a session created now.
    get: (name) => upstreams.get(name) ?? (signal.aborted ? undefined : open(name)),
    opened: (name) => upstreams.get(name),
    openedTargets: () => [...upstreams.keys()],
    isTarget: (name) => config.targets.has(name) && isValidName(name),
    targetNames: () => [...config.targets.keys()].filter(isValidName).sort(compareBytes),
    drop(targets) {
      for (const name of targets) {
        const upstream = upstreams.get(name);
        upstreams.delete(name);
        if (upstream !== undefined) dropped.add(upstream);
      }
    },
    closeDropped() {
      for (const upstream of dropped) void upstream.close(removed(upstream.target));
      dropped.clear();
    },
    restoreLogLevel,
    setLogLevel(params) {
      logLevel = params;
      for (const target of upstreams.keys()) void restoreLogLevel(target).catch(() => {});
    },
    async close() {
      const open = [...upstreams.values(), ...dropped];
      const closing = open.map((upstream) => upstream.close(new Error('the session has ended')));
      upstreams.clear();
      dropped.clear();
      await Promise.all(closing);
    },
  };
}

function timeoutOf(
  { callTimeoutOf, callTimeout = defaultCallTimeout }: SessionParts,
  target: string,
  method: string,
): RequestTimeout {
  return callTimeoutOf?.(target, method) ?? { milliseconds: callTimeout, flag: '--call-timeout' };
}

function removed(target: string): RpcError {
  return new RpcError(errorCode.unavailable, `Target ${target} was removed or changed`);
}

/**
 * What a session with a target reports, as long as it is in use: one that was dropped is another target's than that of
 * this name now.
 */
function ownEvents(
  target: string,
  { events, circuit }: Pick<UpstreamState, 'circuit'> & { readonly events: UpstreamEvents },
  isInUse: () => boolean,
): Pick<UpstreamParts, 'notification' | 'request' | 'connected' | 'failed' | 'circuit'> {
  const failed = (error: unknown, isOwn: boolean): void => {
    if (isInUse()) circuit.failed(target, error, isOwn);
  };
  return {
    notification(method, params, about) {
      if (isInUse()) events.notification(target, method, params, about);
    },
    request: (request, about) => (isInUse() ? events.request(target, request, about) : Promise.reject(removed(target))),
    connected(isReopened) {
      if (isInUse()) events.connected(target, isReopened);
    },
    failed(reason) {
      failed(reason, false);
      if (isInUse()) events.failed(target, reason);
    },
    circuit: {
      refusal: () => circuit.refusal(target),
      retry: () => circuit.retry(target),
      failed,
      whenClosed: (closed) => circuit.whenClosed(target, closed),
    },
  };
}

/**
 * Tells each target one after another, and nothing of what was new meanwhile but the last: nobody waits for the
 * answers, and a target that gives none would hold a connection for each.
 */
function oneAtATime(tell: (target: string) => Promise<void>): (target: string) => Promise<void> {
  const telling = new Map<string, 'current' | 'changed'>();
  return async (target) => {
    if (telling.has(target)) return void telling.set(target, 'changed');
    try {
      do {
        telling.set(target, 'current');
        await tell(target).catch((error: unknown) => {
          if (telling.get(target) === 'current') throw error;
        });
      } while (telling.get(target) === 'changed');
    } finally {
      telling.delete(target);
    }
  };
}

function memoryOf(memories: UpstreamState['memories'], target: string): TargetMemory {
  const found = memories.get(target);
  if (found !== undefined) return found;
  const memory: TargetMemory = {
    transports: new Map(),
    floods: 0,
    refusedUntil: 0,
    handshake: undefined,
    paramHeaders: undefined,
    listsForgotten: 0,
  };
  memories.set(target, memory);
  return memory;
}

/** A target name with a colon would make qualified names ambiguous. No control plane should send one. */
function isValidName(target: string): boolean {
  return target !== '' && !target.includes(':');
}
