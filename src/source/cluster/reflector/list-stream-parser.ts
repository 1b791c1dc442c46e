import { parseBoundedJson } from '../../../json/bounded-json.ts';
import { isJsonObject, type JsonObject } from '../../../json/json.ts';
import type { ObjectText } from '../api/object.ts';
import { ChunkBuffer } from './line-splitter.ts';

/**
 * The largest rest of a list besides its items, in UTF-16 code units. Its metadata have some hundred bytes, and at most
 * a `continue` token of 4 KiB.
 */
const maxRest = 64 * 1024;

const restBounds = { maxValues: 1_000, maxDepth: 10 };

/**
 * Parses a Kubernetes list while it arrives: passes on each item as soon as its last byte is there, so that a page of
 * thousands of objects is never in memory as a whole, neither as text nor as values. The rest, with a null for all items
 * together, is parsed at the end to check that it was a list.
 */
export class ListStreamParser {
  readonly #add: (item: ObjectText) => boolean;
  readonly #item = new ChunkBuffer();
  readonly #restDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #rest = '';
  #count = 0;
  /** The commas since the last item. */
  #commas = 0;
  #rejected = false;
  /** Open objects and arrays: 1 within the list, 2 within its `items`, 3 and more within an item. */
  #depth = 0;
  #inItems = false;
  /** True if `items` was seen: a list has it once. */
  #itemsSeen = false;
  #inString = false;
  /** Bytes of the next chunk to skip: 1 if the last byte was a backslash. */
  #escaped = 0;
  /** The beginning of the last string at depth 1: a key, or the value of one. */
  #key = '';

  /** @param add takes each item and rejects the whole list by `false` if it is no JSON; must not throw */
  constructor(add: (item: ObjectText) => boolean) {
    this.#add = add;
  }

  /** Takes the next bytes. Returns false if it cannot be a list any more. */
  push(chunk: Uint8Array): boolean {
    // Local variables instead of fields: the loop runs for every byte of every list.
    let [depth, inString, from, at] = [this.#depth, this.#inString, 0, this.#escaped];
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (inString) {
        if (byte === backslash) at += 1;
        else if (byte === quote) inString = false;
        if (depth === 1 && inString && this.#key.length < maxKey) this.#key += String.fromCharCode(byte ?? 0);
      } else if (byte === quote) {
        inString = true;
        if (depth === 1) this.#key = '';
      } else if (byte === openObject || byte === openList) {
        depth += 1;
        if (depth === 2) {
          // The rest has the brackets of the items.
          this.#addRest(chunk.subarray(from, at + 1));
          from = at + 1;
          this.#beginValue(byte === openList && this.#key === 'items');
        } else if (depth === 3 && this.#inItems) {
          this.#addBetween(chunk.subarray(from, at));
          from = at;
          this.#beginItem();
        }
      } else if (byte === closeObject || byte === closeList) {
        depth -= 1;
        if (depth === 2 && this.#inItems) {
          this.#endItem(chunk.subarray(from, at + 1));
          from = at + 1;
        } else if (depth === 1 && this.#inItems) {
          this.#addBetween(chunk.subarray(from, at));
          from = at;
          this.#endItems();
        }
      }
    }
    [this.#depth, this.#inString, this.#escaped] = [depth, inString, at - chunk.length];
    const end = chunk.subarray(from);
    if (!this.#inItems) this.#addRest(end);
    else if (depth > 2) this.#item.add(end);
    else this.#addBetween(end);
    return !this.#rejected && this.#rest.length <= maxRest;
  }

  /** Returns the list with a null in place of its items, once all of it was pushed; undefined: it was no list. */
  finish(): JsonObject | undefined {
    if (this.#rejected) return undefined;
    const parsed = parseBoundedJson(this.#rest + this.#restDecoder.decode(), restBounds);
    if (parsed.kind !== 'json' || !isJsonObject(parsed.value)) return undefined;
    const list = parsed.value;
    // Go encodes a nil slice as null.
    const items = list['items'] ?? [];
    const expected = this.#count === 0 ? [] : [null];
    const allTaken = Array.isArray(items) && items.length === expected.length && items.every((item) => item === null);
    return allTaken ? list : undefined;
  }

  #beginValue(isItems: boolean): void {
    if (isItems && this.#itemsSeen) this.#rejected = true;
    this.#itemsSeen ||= isItems;
    this.#inItems = isItems;
  }

  #beginItem(): void {
    this.#rejected ||= this.#commas !== (this.#count === 0 ? 0 : 1);
    this.#commas = 0;
  }

  #endItem(end: Uint8Array): void {
    const item = this.#item.complete(end);
    if (this.#rejected) return;
    this.#count += 1;
    this.#rejected = !this.#add(item);
  }

  #endItems(): void {
    this.#rejected ||= this.#commas !== 0;
    this.#inItems = false;
    if (this.#count > 0) this.#rest += 'null';
  }

  /** Takes what is between items: anything but commas and white space, such as a digit, makes it no list of objects. */
  #addBetween(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === comma) this.#commas += 1;
      else if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) this.#rejected = true;
    }
  }

  #addRest(bytes: Uint8Array): void {
    this.#rest += this.#restDecoder.decode(bytes, { stream: true });
  }
}

/** Bytes of a key that are compared: one more than `items` has. */
const maxKey = 6;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openObject = 0x7b;
const closeObject = 0x7d;
const openList = 0x5b;
const closeList = 0x5d;
