import { asJsonObject } from '../../json/json.ts';
import { untilAborted, within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { subscriptionIdKey } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import type { Capabilities, Exchange, UpstreamParts } from './model.ts';
import { HttpStatusError } from './transport/http-exchange.ts';
import { pauseForTarget, reconnectDelay } from './transport/notification-stream.ts';

/** What a target of MCP 2026-07-28 says without being asked: `subscriptions/listen`, one stream for everything. */
export interface Listening {
  /** Begins to listen for changes of lists, if the target tells of any. */
  start(capabilities: Capabilities): void;
  /** Listens to a resource or a task, too. Rejects when the target does not tell of its changes. */
  add(kind: ListenedKind, id: string, signal: AbortSignal): Promise<void>;
  remove(kind: ListenedKind, id: string): void;
  /** Handles a message. Returns what to deliver: `undefined` for one that is of a stream and is used up here. */
  received(method: string, params: Params | undefined, about: number | undefined): Delivered | undefined;
  close(): void;
}

/** What is listened to one by one: URIs, and ids of tasks at the target (the extension of tasks). */
type ListenedKind = 'resourceSubscriptions' | 'taskIds';

/** What one stream is about, or what a target has acknowledged of it. */
type Listened = Readonly<Record<ListenedKind, readonly unknown[]>>;

interface Delivered {
  readonly params: Params | undefined;
  readonly about: number | undefined;
}

/** Dependencies of listening. */
export interface ListeningParts extends Pick<UpstreamParts, 'clock' | 'random' | 'circuit'> {
  /** Sends the request. Its promise is settled when the stream ends. */
  listen(params: Params, signal: AbortSignal, exchange: Exchange): Promise<Result>;
  /** Called when streams keep ending. */
  failed(reason: Error): void;
}

/** One listen request, repeated when its stream ends. */
interface Stream {
  /** {@link Exchange.about}: negative, so that it is none of the caller's. */
  readonly about: number;
  readonly wanted: Listened;
  readonly ended: AbortController;
  /** Resolves with what the target tells of. */
  readonly acknowledged: PromiseWithResolvers<Listened>;
  /** Whether the target has ever done so: a refusal after that may be that of a proxy while the target restarts. */
  isAcknowledged: boolean;
}

/** Milliseconds that a target has to acknowledge what is listened to. */
const acknowledgeTime = 10_000;

/** Streams in a row that end at once, until that is reported. */
const maxFutile = 5;

/** What is asked for, by the capability of the target that tells of it. */
const lists = { tools: 'toolsListChanged', prompts: 'promptsListChanged', resources: 'resourcesListChanged' } as const;

/**
 * Listens to nothing yet. What is listened to changes with a new stream, and the old one ends when that was
 * acknowledged, so that nothing is missed in between; changes that come meanwhile share the next one.
 */
export function createListening(parts: ListeningParts): Listening {
  return new TargetListening(parts);
}

class TargetListening implements Listening {
  readonly #parts: ListeningParts;
  readonly #closed = new AbortController();
  readonly #wanted: Readonly<Record<ListenedKind, Set<string>>> = {
    resourceSubscriptions: new Set(),
    taskIds: new Set(),
  };
  readonly #streams = new Map<number, Stream>();
  #lists: Readonly<Record<string, true>> = {};
  #active: Stream | undefined;
  #next: Promise<Stream> | undefined;
  /** Streams are opened one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** What was refused together is added one after the other. */
  #lastAlone: Promise<unknown> = Promise.resolve();
  #lastAbout = 0;

  constructor(parts: ListeningParts) {
    this.#parts = parts;
  }

  start(capabilities: Capabilities): void {
    const told = Object.entries(lists).filter(([name]) => asJsonObject(capabilities[name])['listChanged'] === true);
    this.#lists = Object.fromEntries(told.map(([, list]) => [list, true] as const));
    if (told.length > 0) void this.#change().catch(() => {});
  }

  async add(kind: ListenedKind, id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#add(kind, id, signal);
    } catch (error) {
      if (!(error instanceof SharedRefusal)) throw error;
      const alone = this.#lastAlone.then(() => this.#add(kind, id, signal));
      this.#lastAlone = alone.catch(() => {});
      await alone.catch((own: unknown) => {
        throw own instanceof SharedRefusal ? own.cause : own;
      });
    }
  }

  async #add(kind: ListenedKind, id: string, signal: AbortSignal): Promise<void> {
    const isNew = !this.#wanted[kind].has(id);
    this.#wanted[kind].add(id);
    try {
      const stream = await untilAborted(signal, this.#change());
      if ((await stream.acknowledged.promise)[kind].includes(id)) return;
      const what = kind === 'taskIds' ? 'task' : 'resource';
      throw new RpcError(errorCode.invalidParams, `The target does not tell of changes of this ${what}`);
    } catch (error) {
      if (isNew) this.#wanted[kind].delete(id);
      throw error;
    }
  }

  remove(kind: ListenedKind, id: string): void {
    if (this.#wanted[kind].delete(id)) void this.#change().catch(() => {});
  }

  received(method: string, params: Params | undefined, about: number | undefined): Delivered | undefined {
    if (about === undefined || about >= 0) return { params, about };
    const stream = this.#streams.get(about);
    if (method === 'notifications/subscriptions/acknowledged') {
      const said = asJsonObject(params?.['notifications']);
      stream?.acknowledged.resolve({
        resourceSubscriptions: elementsIn(said['resourceSubscriptions']),
        taskIds: elementsIn(said['taskIds']),
      });
      if (stream !== undefined) stream.isAcknowledged = true;
      return undefined;
    }
    if (stream === undefined) return undefined;
    return { params: params && changed(params, [{ path: ['_meta', subscriptionIdKey] }]), about: undefined };
  }

  close(): void {
    this.#closed.abort(new Error('the connection is closed'));
    for (const stream of [...this.#streams.values()]) this.#end(stream);
  }

  /** Returns the stream with what is wanted now. */
  #change(): Promise<Stream> {
    if (this.#next !== undefined) return this.#next;
    const opened = this.#last.then(() => this.#open());
    this.#next = opened;
    this.#last = opened.catch(() => {});
    return opened;
  }

  async #open(): Promise<Stream> {
    this.#next = undefined;
    this.#closed.signal.throwIfAborted();
    this.#lastAbout -= 1;
    const before = this.#active;
    const stream: Stream = {
      about: this.#lastAbout,
      wanted: { resourceSubscriptions: [...this.#wanted.resourceSubscriptions], taskIds: [...this.#wanted.taskIds] },
      ended: new AbortController(),
      acknowledged: Promise.withResolvers(),
      isAcknowledged: false,
    };
    // It may end, or be closed, while nobody waits for that.
    stream.acknowledged.promise.catch(() => {});
    if (isOfSome(stream) || Object.keys(this.#lists).length > 0) await this.#listen(stream, before);
    // What was to be added was removed meanwhile, and somebody may wait for it.
    else stream.acknowledged.resolve(stream.wanted);
    this.#active = stream;
    this.#end(before);
    return stream;
  }

  /** Resolves when the target has acknowledged the stream. */
  async #listen(stream: Stream, before: Stream | undefined): Promise<void> {
    const limit = { clock: this.#parts.clock, milliseconds: acknowledgeTime, signal: this.#closed.signal };
    this.#streams.set(stream.about, stream);
    void this.#follow(stream);
    try {
      await within(limit, () => stream.acknowledged.promise);
    } catch (error) {
      // The first one is repeated until it works, so that the target is listened to as soon as that is possible.
      if (before !== undefined || isOfSome(stream)) this.#end(stream);
      else this.#active = stream;
      throw error instanceof RpcError && addsSeveral(stream, before) ? new SharedRefusal(error) : error;
    }
  }

  /** Opens the stream again when it ends. */
  async #follow(stream: Stream): Promise<void> {
    const { clock, random, listen, failed } = this.#parts;
    const { signal } = stream.ended;
    const some = Object.entries(stream.wanted).filter(([, ids]) => ids.length > 0);
    const params = { notifications: { ...this.#lists, ...Object.fromEntries(some) } };
    for (let futile = 0; !signal.aborted; ) {
      const openedAt = clock.monotonic();
      const reason = await listen(params, signal, { about: stream.about, paused: undefined }).then(
        () => new Error('the target ended the stream of notifications'),
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      );
      stream.acknowledged.reject(reason);
      if (signal.aborted) return;
      if (isRefusal(reason) && !stream.isAcknowledged) return this.#end(stream);
      futile = clock.monotonic() - openedAt >= acknowledgeTime ? 0 : futile + 1;
      if (futile === maxFutile) failed(reason);
      const delay = reconnectDelay(Math.max(1, futile), undefined, random);
      await pauseForTarget(this.#parts, delay, signal).catch(() => {});
    }
  }

  #end(stream: Stream | undefined): void {
    if (stream === undefined) return;
    this.#streams.delete(stream.about);
    stream.ended.abort(new Error('no longer listened to'));
  }
}

/** A target refused a stream with several new resources or tasks, of which one may be the reason. */
class SharedRefusal extends Error {
  override readonly name = 'SharedRefusal';
  override readonly cause: RpcError;

  constructor(cause: RpcError) {
    super(cause.message);
    this.cause = cause;
  }
}

function addsSeveral({ wanted }: Stream, before: Stream | undefined): boolean {
  const kinds = ['resourceSubscriptions', 'taskIds'] as const;
  return kinds.flatMap((kind) => wanted[kind].filter((id) => before?.wanted[kind].includes(id) !== true)).length > 1;
}

function isOfSome({ wanted }: Stream): boolean {
  return Object.values(wanted).some((ids) => ids.length > 0);
}

function elementsIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

/** A target that has no such method, or has never let the gateway listen, will not do so later either. */
function isRefusal(reason: Error): boolean {
  if (reason instanceof HttpStatusError) return reason.status < 500 && ![408, 429].includes(reason.status);
  return reason instanceof RpcError;
}
