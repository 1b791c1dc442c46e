import { FairTurns } from '../../rate/fair-turns.ts';
import { KeptEntries, type KeptEntriesOptions } from '../../rate/kept-entries.ts';
import { Quota } from '../../rate/quota.ts';
import type { MessageSize } from '../rpc/model.ts';
import { MessageBudget } from './message-budget.ts';

/*
 * What one message of a target may cost. The bounds keep the time in which one message holds the event loop below
 * 100 ms and the memory of the process within that of its Deployment, whatever the target sends.
 */

/** The largest message: 32 MiB. Larger than that of a client, since results are larger than requests. */
export const maxMessageBytes: number = 32 * 1024 * 1024;

/**
 * The largest handshake: 1 MiB. A few KiB of it are kept, and it is read again for each session of a client, so that with
 * answers of the largest size nothing would be left for others.
 */
export const maxHandshakeBytes: number = 1024 * 1024;

/** The largest list of a target, all pages together: 8 MiB. Ten thousand tools with 800 bytes each. */
export const maxListBytes: number = 8 * 1024 * 1024;

/**
 * The structure of one message; of all pages of one list, too, but for the depth. Parsing so many values, or names,
 * takes about 50 ms. Ten thousand tools have 20 values each, and few names.
 */
export const messageBounds = { maxValues: 200_000, maxDepth: 500, maxNames: 10_000 } as const;

/**
 * The most lines of one event and reads of one message. Each read of a socket has up to 64 KiB, so that an honest
 * message of the largest size takes about a thousand.
 */
export const maxPieces = 65_536;

/**
 * Messages below this weight take no turn, and those below so many bytes are not counted in the budget of all targets:
 * small answers arrive whatever others do.
 */
export const uncountedBytes: number = 64 * 1024;

/**
 * Lists of no more weight are not counted in the budget of lists: two thousand are open at once, and each is kept until the
 * merged list that it is a part of is answered.
 */
export const uncountedListBytes: number = 16 * 1024;

/**
 * Bytes that a counted message takes beside its own: what was read of its connection and waits for the turn of the
 * message, in the socket and before its reader. Thousands that have just begun would otherwise take several times what
 * the budget has.
 */
export const waitingBytes: number = 128 * 1024;

/** Bytes of a result that takes a turn of its own to be written, after it took one to be parsed or made. */
export const largeResult: number = 256 * 1024;

/** What all targets share. */
export interface AnswerBudget {
  /** The bytes of unfinished messages. */
  readonly messages: MessageBudget;
  /** The weight of lists until they are answered or forgotten, by target; see {@link weightOf}. */
  readonly lists: Quota;
  /** The time of the event loop for messages that are counted in it. */
  readonly turns: FairTurns;
  /**
   * Which connection begins next, targets in turn: one in each iteration of the event loop. Each takes a tenth of a
   * millisecond, and a list or a handshake of one client needs dozens.
   */
  readonly connecting: FairTurns;
  /** Messages that nobody waits for and that have not been accepted, by target. */
  readonly unaccepted: Quota;
}

/**
 * Messages that nobody waits for: notifications of clients, responses to what targets ask, requests of the gateway
 * itself. Each takes a connection and 40 KiB. The calls of a session that ends are cancelled at once: 256.
 */
const maxUnaccepted = 1_024;
const unacceptedShare = 1 / 4;

/** How many of them one target may leave. */
export const maxUnacceptedOfTarget: number = maxUnaccepted * unacceptedShare;

/** However many targets accept nothing, or have large lists, something is left for another one. */
const shareOfRest = 1;

/** Bytes of all lists: 48 MiB, four of the largest merged ones and more. */
export const maxListsBytes: number = 6 * maxListBytes;

/** Bytes that a JSON value counts as: an empty object takes three and, parsed, 64. */
const bytesPerValue = 13;

/**
 * Returns the bytes that a list counts as while it is kept parsed. It takes about five times as much memory: lists of
 * tools have 25 bytes and more for each of their values, but lists of empty objects would take twenty times theirs.
 */
export function weightOf({ bytes, values }: MessageSize): number {
  return Math.max(bytes, values * bytesPerValue);
}

/** The part of the bytes of lists that one target may take. */
export const targetShare: number = 1 / 2;

/** The same of unfinished messages: one and a half of the largest. */
const messageShare = 3 / 8;

/**
 * Creates the budget of all targets: four of the largest messages, and the lists.
 *
 * @param turns with a clock, so that a long step is followed by a rest
 */
export function createAnswerBudget(turns: FairTurns): AnswerBudget {
  return {
    messages: new MessageBudget(4 * maxMessageBytes, messageShare),
    lists: new Quota(maxListsBytes, targetShare, shareOfRest),
    turns,
    connecting: new FairTurns(),
    unaccepted: new Quota(maxUnaccepted, unacceptedShare, shareOfRest),
  };
}

/**
 * Bytes of what is kept of the lists of all targets after they were answered: names that do not say their target,
 * pages, headers of parameters. Ten thousand names of 30 characters take 5 MB.
 */
const maxKeptBytes = 64 * 1024 * 1024;

/**
 * The part of it that one target may take; however many want it all, the one with the most leaves its place to others.
 */
const keptShare = 1 / 2;

/** Creates the room for it, by target. */
export function createListMemory(events: Pick<KeptEntriesOptions, 'evict' | 'crowded'>): KeptEntries {
  return new KeptEntries({ limit: maxKeptBytes, share: keptShare, ...events });
}

/** A target sent more than it may: its answer is not used. */
export class AnswerLimitError extends Error {
  override readonly name = 'AnswerLimitError';
}

const most = `${(4 * maxMessageBytes) / 2 ** 20} MiB, and their lists ${maxListsBytes / 2 ** 20} MiB,`;

/** The budget has no room for an answer. No fault of its target, whose lists are asked for as before. */
export class AnswerBudgetError extends Error {
  override readonly name = 'AnswerBudgetError';

  constructor() {
    super(`large answers of targets take at most ${most} of memory, those of one target half of it`);
  }
}
