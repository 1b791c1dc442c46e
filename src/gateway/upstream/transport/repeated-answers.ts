import type { Message, Result } from '../../rpc/model.ts';
import { writtenText } from '../../rpc/source-text.ts';
import { type ParsedMessages, parseMessages } from './message.ts';
import type { TakenMessage } from './message-buffer.ts';

/** Parses a text, or finds what it was parsed to before. */
export type ParseAnswer = (taken: Omit<TakenMessage, 'size'>) => ParsedMessages;

/** Characters of an answer that is worth a look whether it is the last one, and those before its result. */
const minLength = 4 * 1024;
const maxHead = 256;

/**
 * The last answer of a target to the first page of each list: one with the same result is not parsed again. Most clients
 * are given the same list, whose entries are an object for each few bytes. Keeps nothing for that: a result is found as
 * long as a list is made of it, or until the garbage is collected.
 */
export class RepeatedAnswers {
  readonly #last = new Map<string, WeakRef<Result>>();

  /** Returns what parses the answer to a request; `undefined` where it is not expected to be the same. */
  to(request: Message): ParseAnswer | undefined {
    if (!('method' in request) || !request.method.endsWith('/list')) return undefined;
    const { method, params } = request;
    return params?.['cursor'] === undefined ? (taken) => this.#parse(method, taken) : undefined;
  }

  #parse(method: string, taken: Omit<TakenMessage, 'size'>): ParsedMessages {
    if (taken.text.length < minLength) return parseMessages(taken);
    const last = this.#last.get(method)?.deref();
    const same = last && answerWith(last, taken.text);
    if (same !== undefined) return { messages: [same] };
    const parsed = parseMessages(taken);
    const [message] = parsed.messages;
    const isOne = parsed.messages.length === 1 && message !== undefined && 'result' in message;
    if (isOne) this.#last.set(method, new WeakRef(message.result));
    return parsed;
  }
}

/** Returns a response whose last member is this result, as it was written; `undefined` for any other text. */
function answerWith(result: Result, text: string): Message | undefined {
  const written = writtenText(result);
  const end = text.trimEnd().length - 1;
  const start = end - written.length;
  if (start < 0 || start > maxHead || text[end] !== '}' || text.slice(start, end) !== written) return undefined;
  const { messages } = parseMessages({ text: `${text.slice(0, start)}{}}`, longestString: 0 });
  const [message] = messages;
  const isResponse = message !== undefined && 'result' in message && Object.keys(message).length === 3;
  return isResponse ? { ...message, result } : undefined;
}
