import { isJsonObject, type JsonObject, parseJson } from '../../../json/json.ts';
import { LARGEST_OBJECT } from '../api/object.ts';
import { TextPieces } from './text-pieces.ts';

/**
 * Cuts the text of a Kubernetes list into its items while it arrives: each is given away as soon as its last byte is
 * there. A page of thousands of objects is never held as a whole, neither as text nor as values, so that the process
 * does not grow by it. What is left is the list with a null for each item, which shows whether it was one.
 */
export class ListCutter {
  readonly #take: (item: unknown) => boolean;
  readonly #item = new TextPieces();
  readonly #restDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #rest = '';
  #count = 0;
  #refused = false;
  /** Objects and arrays that are open: 1 in the list itself, 2 in its `items`, 3 and more in an item. */
  #depth = 0;
  #inItems = false;
  /** Whether there were items: a list has them once. */
  #begun = false;
  #inText = false;
  /** Bytes of the next chunk that mean nothing: one, when the last byte was a backslash. */
  #escaped = 0;
  /** The last text at depth 1, a key or the value of one. */
  #key = '';

  /** @param take is given each item and may refuse the whole list with `false`; may not throw */
  constructor(take: (item: unknown) => boolean) {
    this.#take = take;
  }

  /** The next bytes. Answers whether it may still be a list: else nothing more is taken of it. */
  push(chunk: Uint8Array): boolean {
    // Every byte of every list comes through here: what the loop changes is at hand, not in fields.
    let [depth, inText, from, at] = [this.#depth, this.#inText, 0, this.#escaped];
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (inText) {
        if (byte === BACKSLASH) at += 1;
        else if (byte === QUOTE) inText = false;
        if (depth === 1 && inText) this.#key += String.fromCharCode(byte ?? 0);
      } else if (byte === QUOTE) {
        inText = true;
        if (depth === 1) this.#key = '';
      } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (depth === 1) this.#begin(byte === OPEN_LIST && this.#key === 'items');
        depth += 1;
        if (depth !== 3 || !this.#inItems) continue;
        this.#leave(chunk.subarray(from, at));
        from = at;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        depth -= 1;
        if (depth !== 2 || !this.#inItems) continue;
        this.#cut(chunk.subarray(from, at + 1));
        from = at + 1;
      }
    }
    [this.#depth, this.#inText, this.#escaped] = [depth, inText, at - chunk.length];
    const end = chunk.subarray(from);
    if (this.#inItems && depth > 2) this.#item.add(end);
    else this.#leave(end);
    return !this.#refused && this.#item.size + this.#rest.length <= LARGEST_OBJECT;
  }

  /** What the list says beside its items, once all of it was pushed. Undefined: it was none. */
  finish(): JsonObject | undefined {
    const list = this.#refused ? undefined : parseJson(this.#rest + this.#restDecoder.decode())?.value;
    if (!isJsonObject(list)) return undefined;
    // Go writes an empty list as null where its author forgot to make one.
    const items = list['items'] ?? [];
    const allCut = Array.isArray(items) && items.length === this.#count && items.every((item) => item === null);
    return allCut ? list : undefined;
  }

  /** A value in the list itself begins: its items, or another one. */
  #begin(items: boolean): void {
    if (items && this.#begun) this.#refused = true;
    this.#begun ||= items;
    this.#inItems = items;
  }

  #cut(end: Uint8Array): void {
    const text = this.#item.complete(end);
    if (this.#refused) return;
    const parsed = parseJson(text);
    this.#count += 1;
    // Beside whatever else stands there it is no JSON, as a number might be.
    this.#rest += 'null';
    this.#refused = parsed === undefined || !this.#take(parsed.value);
  }

  #leave(bytes: Uint8Array): void {
    this.#rest += this.#restDecoder.decode(bytes, { stream: true });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
