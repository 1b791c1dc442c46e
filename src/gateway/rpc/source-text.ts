import { isJsonObject, type JsonObject } from '../../json/json.ts';
import {
  changeParts,
  changeValue,
  duplicateName,
  elementsOf,
  type JsonChange,
  membersOf,
  replaceMember,
  type TextMember,
} from '../../json/json-text.ts';
import type { Message } from './model.ts';

/*
 * Keeps what the gateway passes on as it was written. Messages are parsed, so that their members can be read; beside
 * that, the text of the `params`, `result` or `error` is remembered for as long as the parsed object is kept, and is
 * what `encodeMessage` writes. A change is applied to both. A copy that is made in another way has no text: it is
 * written as `JSON.stringify` would.
 */

/**
 * A text that was written or changed; a large one that was changed is kept in parts, which share what it was before.
 */
const texts = new WeakMap<object, string | readonly string[]>();

/** The members of a message that are passed on. */
const passedOn: readonly string[] = ['params', 'result', 'error'];

/** The members below them that the gateway reads members of. */
const read: readonly string[] = ['_meta', 'ref', 'task'];

/** What the gateway decides by, or renames: a receiver must not find another member under one of these names. */
const decidedBy: ReadonlySet<string> = new Set([
  ...['jsonrpc', 'id', 'method', 'params', 'result', 'error'],
  ...['name', 'uri', 'ref', 'type', 'task', '_meta', 'progresstoken', 'elicitationid', 'requestid'],
  ...['taskid', 'status', 'io.modelcontextprotocol/related-task', 'resulttype', 'inputrequests', 'inputresponses'],
]);

/**
 * Remembers the text of a parsed message, or of each message of a batch.
 *
 * @returns the name of a member that occurs twice where the gateway reads members; such a message must be refused: the
 * gateway would decide about one of them, and the receiver may use the other
 */
export function rememberText(json: unknown, text: string): string | undefined {
  if (!Array.isArray(json)) return rememberMessage(json, text);
  let duplicate: string | undefined;
  for (const [index, element] of elementsOf(text).entries()) duplicate ??= rememberMessage(json[index], element);
  return duplicate;
}

function rememberMessage(json: unknown, text: string): string | undefined {
  if (!isJsonObject(json)) return undefined;
  const members = membersOf(text);
  let duplicate = duplicateName(members, decidedBy);
  for (const part of members.filter(({ name }) => passedOn.includes(name))) {
    const value = json[part.name];
    if (!isJsonObject(value)) continue;
    texts.set(value, part.text);
    duplicate ??= duplicateWithin(membersOf(part.text));
  }
  return duplicate;
}

function duplicateWithin(members: readonly TextMember[]): string | undefined {
  const inner = members
    .filter(({ name }) => read.includes(name))
    .map(({ text }) => duplicateName(membersOf(text), decidedBy));
  return duplicateName(members, decidedBy) ?? inner.find((name) => name !== undefined);
}

/** Remembers the text of each object in a list that is a member of a remembered object. */
export function rememberElements(object: object, member: string): void {
  const list: unknown = Reflect.get(object, member);
  if (!Array.isArray(list)) return;
  for (const [index, element] of elementTexts(object, member).entries()) {
    if (isJsonObject(list[index])) texts.set(list[index], element);
  }
}

/**
 * Returns the texts of the elements in a list that is a member of a remembered object; none when it is not remembered.
 * Remembering each of thousands takes far longer than reading them, and more with each collection of garbage.
 */
export function elementTexts(object: object, member: string): readonly string[] {
  const known = lastElements.get(object);
  if (known?.member === member) return known.elements;
  const text = membersOf(writtenText(object)).findLast(({ name }) => name === member)?.text;
  const elements = text === undefined ? [] : elementsOf(text);
  lastElements.set(object, { member, elements });
  return elements;
}

/** What was found last, since several lists may be made of one object. */
const lastElements = new WeakMap<object, { readonly member: string; readonly elements: readonly string[] }>();

/** An object with its text, as far as that is known: for many, which it would take too long to remember one by one. */
export interface Written {
  readonly json: JsonObject;
  readonly text: string | undefined;
}

/** Returns an object with another value of one member; see {@link changed}. */
export function withMember({ json, text }: Written, name: string, value: string): Written {
  const copy = { ...json, [name]: value };
  if (text === undefined) return { json: copy, text };
  const changes = [{ path: [name], value }];
  const once = replaceMember(text, name, JSON.stringify(value));
  return { json: copy, text: once ?? changeParts(text, changes, encodeValue).join('') };
}

/** Returns a list that is written as its elements are. */
export function listOf(elements: readonly Written[]): readonly JsonObject[] {
  const writer = new ListWriter();
  for (const element of elements) writer.add(element);
  return writer.list();
}

/**
 * Makes a list that is written as its elements are, one after another: the text of a large one takes as long as parsing
 * it, and is in pieces here that are written as they are.
 */
export class ListWriter {
  readonly #list: JsonObject[] = [];
  readonly #pieces: string[] = [];
  #text = '[';

  add({ json, text }: Written): void {
    if (this.#list.length > 0) this.#text += ',';
    const written = text ?? encodeValue(json);
    if (this.#text.length + written.length > pieceLength) {
      this.#pieces.push(onOneLine(this.#text));
      this.#text = '';
    }
    this.#text += written;
    this.#list.push(json);
  }

  /** Call it once, in the end. */
  list(): readonly JsonObject[] {
    texts.set(this.#list, [...this.#pieces, `${this.#text}]`]);
    return this.#list;
  }
}

/** Returns an object that is remembered with its text. */
export function remembered({ json, text }: Written): JsonObject {
  if (text !== undefined) texts.set(json, text);
  return json;
}

/** Remembers the text of each object that is a member of a remembered one. */
export function rememberMembers(object: JsonObject): void {
  for (const { name, text } of membersOf(writtenText(object))) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (isJsonObject(value)) texts.set(value, text);
  }
}

/** Returns the text of a remembered object; empty for another one. */
export function writtenText(object: object): string {
  const text = texts.get(object) ?? '';
  return typeof text === 'string' ? text : text.join('');
}

/** Returns a copy with the changes, whose text is that of the object but for the changed places. */
export function changed<T extends object>(object: T, changes: readonly JsonChange[]): T {
  if (changes.length === 0) return object;
  const copy = changeValue(object, changes);
  const text = texts.get(object);
  if (text === undefined) return copy;
  const parts = withNewMembers(object, text, changes) ?? changeParts(writtenText(object), changes, encodeValue);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  texts.set(copy, length > pieceLength ? parts : parts.join(''));
  return copy;
}

/** Adds members to the end of a text, without reading it. Returns `undefined` for any other change. */
function withNewMembers(
  object: object,
  text: string | readonly string[],
  changes: readonly JsonChange[],
): readonly string[] | undefined {
  const names = changes.map(({ path, value }) => (path.length === 1 && value !== undefined ? path[0] : undefined));
  const areNew = names.every((name) => typeof name === 'string' && !Object.hasOwn(object, name));
  const parts = typeof text === 'string' ? [text] : text;
  const last = parts.at(-1);
  // An object without members, such as `{ }`, has no comma to add; where white space follows, nothing is known.
  if (!areNew || new Set(names).size < names.length || last?.at(-1) !== '}' || Object.keys(object).length === 0) {
    return undefined;
  }
  const added = changes.map(({ path: [name], value }) => `,${JSON.stringify(name)}:${encodeValue(value)}`);
  return [...parts.slice(0, -1), last.slice(0, -1), ...added, '}'];
}

/** Writes a value, and what was remembered in it as it was written. */
const encodeValue = (value: unknown): string => partsOf(value).join('');

/** Returns the characters of an object as it is written. The parsed value may lack what nobody reads of a large one. */
export function lengthOf(object: object): number {
  let length = 0;
  for (const part of partsOf(object)) length += part.length;
  return length;
}

/** Writes a message on one line, what was remembered as it was written. */
export function encodeMessage(message: Message): string {
  return encodePieces(message).join('');
}

/** Characters of a piece: more bytes than malloc takes from its heap, so that they return to the system at once. */
const pieceLength = 256 * 1024;

/**
 * Writes a message on one line, in pieces: at least one, each with 256 Ki characters at most. Joining what is large
 * would copy it, once to look at it and once to send it.
 */
export function encodePieces(message: Message): readonly string[] {
  const pieces: string[] = [];
  let text = '';
  for (const part of partsOf(message)) {
    if (text.length + part.length <= pieceLength) {
      text += part;
      continue;
    }
    pieces.push(onOneLine(text));
    text = part;
    for (; text.length > pieceLength; text = text.slice(pieces.at(-1)?.length)) {
      pieces.push(onOneLine(text.slice(0, endOfPiece(text))));
    }
  }
  pieces.push(onOneLine(text));
  return pieces;
}

/** A line break in JSON is white space between tokens: strings escape theirs. Keeps the length. */
function onOneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, ' ') : text;
}

/** Does not cut a character in two. */
function endOfPiece(text: string): number {
  const last = text.charCodeAt(pieceLength - 1);
  return last >= firstHighSurrogate && last <= lastHighSurrogate ? pieceLength - 1 : pieceLength;
}

const firstHighSurrogate = 0xd800;
const lastHighSurrogate = 0xdbff;

/** The texts that make up a value, in their order. */
function partsOf(value: unknown): readonly string[] {
  const parts: string[] = [];
  addParts(value, parts);
  return parts;
}

/** Recurs into what the gateway itself has made, which is nested a few levels. */
function addParts(value: unknown, parts: string[]): void {
  if (typeof value !== 'object' || value === null) {
    parts.push(JSON.stringify(value) ?? 'null');
    return;
  }
  const text = texts.get(value);
  if (typeof text === 'string') parts.push(text);
  else if (text !== undefined) for (const part of text) parts.push(part);
  else if (Array.isArray(value)) addElements(value, parts);
  else addMembers(value, parts);
}

function addElements(elements: readonly unknown[], parts: string[]): void {
  let separator = '[';
  for (const element of elements) {
    parts.push(separator);
    addParts(element, parts);
    separator = ',';
  }
  parts.push(elements.length === 0 ? '[]' : ']');
}

function addMembers(object: object, parts: string[]): void {
  let separator = '{';
  for (const [name, member] of Object.entries(object)) {
    if (member === undefined) continue;
    parts.push(`${separator}${JSON.stringify(name)}:`);
    addParts(member, parts);
    separator = ',';
  }
  parts.push(separator === '{' ? '{}' : '}');
}
