import { randomBytes } from 'node:crypto';
import type { Clock, Stop } from '../../../edges.ts';
import { asJsonObject, isJsonObject, type JsonObject } from '../../../json/json.ts';
import { Quota } from '../../../rate/quota.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import type { Message } from '../../rpc/model.ts';
import { inputRequired } from '../../rpc/protocol.ts';
import { errorCode } from '../../rpc/rpc-error.ts';
import { rememberMembers } from '../../rpc/source-text.ts';
import type { MayReceive, Sender, Session } from '../../session/model.ts';
import type { ReplyParts, StatelessReply } from './stateless-reply.ts';
import type { StatelessRequest } from './stateless-request.ts';

/** Begins the state of a call that waits here; the state of a target's own result has another beginning. */
const stateName = 'gatehouse-call-';

/** Returns whether a request continues a call that waits here. Any other state is for the target that gave it. */
export function isOfWaitingCall({ params }: StatelessRequest): boolean {
  const state = params['requestState'];
  return typeof state === 'string' && state.startsWith(stateName);
}

/** Milliseconds that a call waits for a client that was asked for input. */
const inputTime = 600_000;

/** Calls that wait for input, in all sessions; and the part of them that one caller may have. */
const maxWaiting = 1_024;
const callerShare = 1 / 2;

/** However many callers let their calls wait, something is left for another one. */
const shareOfRest = 1;

/**
 * The requests of MCP 2026-07-28 in flight. Where a target asks the client for something during a call, the client gets
 * a result `input_required`, and repeats its request with the answers; meanwhile the call goes on at the target.
 */
export interface StatelessCalls {
  /** @param done called once, when the session has settled the request */
  start(session: Session, reply: StatelessReply, done: () => void): void;
  /**
   * Continues the call that the reply's request repeats. Returns false when there is none: it is over, was another
   * caller's, or another request.
   */
  resume(reply: StatelessReply): boolean;
  /** Call it when the response of a reply was closed. */
  left(reply: StatelessReply): void;
  /** Cancels what waits for input. */
  readonly stop: Stop;
}

/** A request of a target for the client. */
interface InputRequest {
  readonly json: JsonObject;
  readonly mayReceive: MayReceive;
}

/** What the calls of all sessions share. */
interface Waiting {
  readonly clock: Clock;
  readonly quota: Quota;
  /** The calls that wait for input, by the state that the client sends back. */
  readonly byState: Map<string, StatelessCall>;
}

/** Starts without calls. */
export function createStatelessCalls({ clock }: Pick<ReplyParts, 'clock'>): StatelessCalls {
  const shared: Waiting = { clock, quota: new Quota(maxWaiting, callerShare, shareOfRest), byState: new Map() };
  const byReply = new WeakMap<StatelessReply, StatelessCall>();
  let lastId = 0;
  return {
    start(session, reply, done) {
      lastId += 1;
      const call = new StatelessCall(lastId, session, reply, shared);
      byReply.set(reply, call);
      call.start(done);
    },
    resume(reply) {
      const call = shared.byState.get(String(reply.request.params['requestState']));
      if (call?.isRepeatedBy(reply) !== true) return false;
      byReply.set(reply, call);
      call.resume(reply);
      return true;
    },
    left: (reply) => byReply.get(reply)?.left(reply),
    stop() {
      for (const call of shared.byState.values()) call.cancel();
    },
  };
}

/** One request in flight in a session. */
class StatelessCall {
  readonly #id: number;
  readonly #session: Session;
  readonly #request: StatelessRequest;
  readonly #author: Caller;
  /** That of the accepted request, which is answered whatever the rules are by then. */
  readonly #first: StatelessReply;
  readonly #shared: Waiting;
  /** `undefined` while the client is asked for input. */
  #reply: StatelessReply | undefined;
  /** What the client is asked for, by the id of the request. */
  readonly #asked = new Map<string, InputRequest>();
  /** The response, when it came while nobody waited for it. */
  #outcome: { readonly message: Message; readonly mayReceive: MayReceive } | undefined;
  #stopWaiting: Stop = () => {};

  constructor(id: number, session: Session, reply: StatelessReply, shared: Waiting) {
    this.#id = id;
    this.#session = session;
    this.#request = reply.request;
    this.#author = reply.exchange.caller;
    this.#first = reply;
    this.#reply = reply;
    this.#shared = shared;
  }

  start(settled: () => void): void {
    const reader = (): Caller | undefined => this.#reply?.exchange.caller;
    const sender: Sender = {
      caller: this.#author,
      paramHeaders: this.#request.paramHeaders,
      passedHeaders: this.#first.exchange.passedHeaders,
      get reader() {
        return reader();
      },
      send: (message, mayReceive) => this.#send(message, mayReceive),
      settled: () => {
        this.#settle();
        settled();
      },
    };
    const { method, params } = this.#request;
    this.#session.receive({ jsonrpc: '2.0', id: this.#id, method, params }, sender);
  }

  /** Returns whether a request of the same caller has the same method, and names the same, as that of this call. */
  isRepeatedBy({ exchange, request }: StatelessReply): boolean {
    const isSame = ['name', 'uri'].every((member) => request.params[member] === this.#request.params[member]);
    return isSame && request.method === this.#request.method && callerKey(exchange.caller) === callerKey(this.#author);
  }

  /** Continues in another reply, whose request has answers of the client. */
  resume(reply: StatelessReply): void {
    this.#stopWaiting();
    this.#reply = reply;
    const { caller } = reply.exchange;
    rememberMembers(reply.request.params);
    const answers = asJsonObject(reply.request.params['inputResponses']);
    rememberMembers(answers);
    for (const id of this.#asked.keys()) {
      if (!Object.hasOwn(answers, id)) continue;
      this.#asked.delete(id);
      this.#session.receive(answerOf(id, answers[id]), { ...silent, caller, reader: caller });
    }
    if (this.#outcome !== undefined) this.#respond(reply, this.#outcome.message, this.#outcome.mayReceive);
    else if (this.#asked.size > 0) this.#ask(reply);
  }

  /** The client has closed the response of a reply. */
  left(reply: StatelessReply): void {
    if (this.#reply === reply) this.cancel();
  }

  cancel(): void {
    this.#stopWaiting();
    this.#reply = undefined;
    const params = { requestId: this.#id, reason: 'the client has left' };
    const message: Message = { jsonrpc: '2.0', method: 'notifications/cancelled', params };
    this.#session.receive(message, { ...silent, caller: this.#author, reader: this.#author });
  }

  /** Answers a call that ends without a response, as when its session does; one that was answered stays so. */
  #settle(): void {
    if (this.#reply === undefined) this.#outcome ??= { message: hasEnded, mayReceive: () => true };
    else this.#respond(this.#reply, hasEnded, () => true);
  }

  #send(message: Message, mayReceive: MayReceive): void {
    const reply = this.#reply;
    if (!('method' in message)) {
      if (reply === undefined) this.#outcome = { message, mayReceive };
      else this.#respond(reply, message, mayReceive);
    } else if ('id' in message) {
      const { method, params } = message;
      const json = params === undefined ? { method } : { method, params };
      this.#asked.set(String(message.id), { json, mayReceive });
      if (reply !== undefined) this.#ask(reply);
    } else if (message.method === 'notifications/cancelled') {
      this.#asked.delete(String(message.params?.['requestId']));
    } else {
      reply?.notify(message);
    }
  }

  #respond(reply: StatelessReply, message: Message, mayReceive: MayReceive): void {
    this.#reply = undefined;
    reply.answer(this.#mayHave(reply, mayReceive) ? message : notForToken);
  }

  /** Ends the reply with the requests that wait for the client, and lets the call wait for their answers. */
  #ask(reply: StatelessReply): void {
    const { clock, quota, byState } = this.#shared;
    const key = callerKey(this.#author);
    const asked = [...this.#asked].filter(([, { mayReceive }]) => this.#mayHave(reply, mayReceive));
    if (asked.length === 0) {
      this.#respond(reply, notForToken, () => true);
      // The state was given back, so that nobody can continue the call.
      this.cancel();
      return;
    }
    if (!quota.acquire(key))
      throw new Error(`${maxWaiting} calls wait for input at most, and half of them of one caller`);
    const requestState = `${stateName}${randomBytes(16).toString('hex')}`;
    const stopTimer = clock.after(inputTime, () => this.cancel());
    byState.set(requestState, this);
    this.#stopWaiting = () => {
      this.#stopWaiting = () => {};
      stopTimer();
      quota.release(key);
      byState.delete(requestState);
    };
    this.#reply = undefined;
    const inputRequests = Object.fromEntries(asked.map(([id, { json }]) => [id, json]));
    reply.answer({
      jsonrpc: '2.0',
      id: this.#id,
      result: { resultType: inputRequired, inputRequests, requestState },
    });
  }

  /** A repeated request is another one, although its token is the same: it is decided by the rules of now. */
  #mayHave(reply: StatelessReply, mayReceive: MayReceive): boolean {
    return reply === this.#first || mayReceive(reply.exchange.caller);
  }
}

/** Sends nothing: for what no response follows. */
const silent = { send: () => {}, settled: () => {} };

function answerOf(id: string, result: unknown): Message {
  if (isJsonObject(result)) return { jsonrpc: '2.0', id: Number(id), result };
  return {
    jsonrpc: '2.0',
    id: Number(id),
    error: { code: errorCode.invalidParams, message: 'The input is no object' },
  };
}

const hasEnded: Message = {
  jsonrpc: '2.0',
  id: 0,
  error: { code: errorCode.unavailable, message: 'The gateway has ended the request; send it again' },
};

const notForToken: Message = {
  jsonrpc: '2.0',
  id: 0,
  error: { code: errorCode.unavailable, message: 'The response is not for this token' },
};
