import { JsonStructure } from '../../../json/json-structure.ts';
import type { Arriving, MessageSize } from '../../rpc/model.ts';
import {
  type AnswerBudget,
  AnswerBudgetError,
  AnswerLimitError,
  maxMessageBytes,
  maxPieces,
  messageBounds,
  uncountedBytes,
  waitingBytes,
  weightOf,
} from '../answer-limits.ts';
import type { UnfinishedMessage } from '../message-budget.ts';

/** What the messages of a stream or body are charged to, and how large each may be. */
export interface MessageLimits {
  /** The budget of all targets. */
  readonly budget: AnswerBudget;
  /** The name of the one that is charged. */
  readonly target: string;
  /** Default {@link maxMessageBytes}. */
  readonly maxBytes?: number;
  /** See `TransportOptions.arriving`. */
  readonly arriving?: Arriving | undefined;
}

/** A complete message. */
export interface TakenMessage {
  readonly text: string;
  readonly size: MessageSize;
  /** Bytes of its longest string. */
  readonly longestString: number;
}

const words = { values: 'values', levels: 'levels', names: 'different names of members' } as const;
const most = {
  values: messageBounds.maxValues,
  levels: messageBounds.maxDepth,
  names: messageBounds.maxNames,
} as const;

/**
 * Collects the bytes of one message of a target, within the limits, and decodes them block by block, so that the end of
 * a large message does not hold the event loop. Copies them, so that a target that sends them one by one does not make
 * one object of each.
 */
export class MessageBuffer {
  readonly #unfinished: UnfinishedMessage;
  readonly #share: Pick<MessageLimits, 'budget' | 'target'>;
  readonly #maxBytes: number;
  readonly #arriving: Arriving | undefined;
  readonly #structure = new JsonStructure(messageBounds);
  /** Of a message with more than one block. */
  #decoder: typeof oneBlock | undefined;
  /** The message but for the last block. */
  #text = '';
  #block: Buffer = empty;
  #blockLength = 0;
  #length = 0;
  #pieces = 0;
  #isEvicted = false;

  /** @param evicted called when others need the room of the message; nothing can be added or taken from then on */
  constructor({ budget, target, maxBytes = maxMessageBytes, arriving }: MessageLimits, evicted: () => void) {
    this.#maxBytes = maxBytes;
    this.#arriving = arriving;
    this.#share = { budget, target };
    const evict = (): void => {
      this.clear();
      this.#isEvicted = true;
      evicted();
    };
    this.#unfinished = { target, held: 0, evict };
  }

  /** Whether nothing was added. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Whether what was added may be a complete message: it ends with a line, and nothing in it is open. */
  get endsWithLine(): boolean {
    return this.#length > 0 && this.#structure.isWhole && this.#block[this.#blockLength - 1] === lineFeed;
  }

  /** Resolves when more may be read, or the message taken: at once for a small one, else in its turn. */
  async ready(): Promise<void> {
    const size: MessageSize = { bytes: this.#length, values: this.#structure.values };
    if (weightOf(size) > uncountedBytes) await this.#share.budget.turns.next(this.#share.target);
  }

  /**
   * Adds bytes.
   *
   * @throws AnswerLimitError when the message is not within the limits; call {@link clear} then
   * @throws AnswerBudgetError when there is no room for it
   */
  append(bytes: Uint8Array): void {
    this.assertKept();
    const length = this.#length + bytes.length;
    this.addPiece();
    if (length > this.#maxBytes) throw new AnswerLimitError(`a message is larger than ${this.#maxBytes} bytes`);
    const excess = this.#structure.push(bytes);
    if (excess !== undefined) throw new AnswerLimitError(`a message has more than ${most[excess]} ${words[excess]}`);
    this.#arriving?.({ bytes: length, values: this.#structure.values });
    if (length > uncountedBytes && !this.#share.budget.messages.grow(this.#unfinished, length + waitingBytes)) {
      throw new AnswerBudgetError();
    }
    this.#length = length;
    this.#add(bytes);
  }

  /**
   * Counts a line or a read of the message, whether or not it had bytes.
   *
   * @throws AnswerLimitError when there were too many
   */
  addPiece(): void {
    this.#pieces += 1;
    if (this.#pieces > maxPieces) throw new AnswerLimitError(`a message arrives in more than ${maxPieces} pieces`);
  }

  /** @throws AnswerBudgetError when the message was dropped for others */
  assertKept(): void {
    if (this.#isEvicted) throw new AnswerBudgetError();
  }

  /**
   * Returns the message, and begins with the next one.
   *
   * @throws AnswerBudgetError when it was dropped for others
   */
  take(): TakenMessage {
    this.assertKept();
    const text = this.#text + (this.#decoder ?? oneBlock).decode(this.#block.subarray(0, this.#blockLength));
    const size: MessageSize = { bytes: this.#length, values: this.#structure.values };
    const { longestString } = this.#structure;
    this.clear();
    return { text, size, longestString };
  }

  /** Drops the message, and gives back what it held of the budget. */
  clear(): void {
    this.#share.budget.messages.release(this.#unfinished);
    this.#pieces = 0;
    this.#length = 0;
    this.#structure.reset();
    this.#decoder = undefined;
    this.#text = '';
    // A stream may be silent for hours.
    this.#block = empty;
    this.#blockLength = 0;
  }

  #add(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; ) {
      if (this.#blockLength === blockBytes) {
        this.#decoder ??= new TextDecoder();
        this.#text += this.#decoder.decode(this.#block, { stream: true });
        this.#blockLength = 0;
      }
      const end = Math.min(bytes.length, start + blockBytes - this.#blockLength);
      this.#grow(this.#blockLength + end - start);
      this.#block.set(bytes.subarray(start, end), this.#blockLength);
      this.#blockLength += end - start;
      start = end;
    }
  }

  #grow(length: number): void {
    if (length <= this.#block.length) return;
    const doubled = Math.max(initialBytes, 2 * this.#block.length);
    // Of Node's pool while it is small, and not filled with zeros: only what was written is read.
    const larger = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(length, doubled)));
    larger.set(this.#block.subarray(0, this.#blockLength));
    this.#block = larger;
  }
}

/** Begins anew with each call, as a decoder does that is not told that more follows. */
const oneBlock = new TextDecoder();
const lineFeed = 0x0a;
const initialBytes = 1_024;
const blockBytes = 64 * 1024;
const empty = Buffer.alloc(0);
