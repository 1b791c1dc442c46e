import { endOfString } from './bounded-json.ts';
import type { JsonObject } from './json.ts';

/*
 * Reads and changes JSON as text (RFC 8259), so that what is not changed stays as it was written: numbers that no double
 * holds, escapes, the order of members, members that occur twice. `JSON.parse` and `JSON.stringify` keep none of these.
 * The texts are ones that `JSON.parse` accepts; for others the functions return anything. All take linear time.
 */

/** A member of an object. */
export interface TextMember {
  readonly name: string;
  /** The name as it is written, with its quotation marks. */
  readonly nameText: string;
  /** The value as it is written. */
  readonly text: string;
}

/** One change: what replaces the value at a path, or removes the member when there is no `value`. */
export interface JsonChange {
  /** Names of members and indexes of elements, from the outermost on; not empty. A parent that is missing is not made. */
  readonly path: readonly (string | number)[];
  readonly value?: string | number | null | JsonObject;
}

/** Returns the members of an object in the order of the text; a name may occur twice. Empty for another value. */
export function membersOf(text: string): readonly TextMember[] {
  const members: TextMember[] = [];
  readMembers(text, (member) => members.push(member) > 0);
  return members;
}

/** Returns the value of the first member of a name as it is written, without reading what follows it. */
export function firstMember(text: string, name: string): string | undefined {
  let found: string | undefined;
  readMembers(text, (member) => {
    if (member.name === name) found = member.text;
    return found === undefined;
  });
  return found;
}

/**
 * Replaces the value of a member that occurs once, in a text that is not copied for that: what thousands of entries of a
 * list need. Returns undefined where it does not occur once; {@link changeParts} does all else.
 */
export function replaceMember(text: string, name: string, value: string): string | undefined {
  let place: readonly [start: number, end: number] | undefined;
  let isOnce = true;
  readPlaces(text, (nameStart, nameEnd, start, end) => {
    if (!isName(text, nameStart, nameEnd, name)) return true;
    isOnce = place === undefined;
    place = [start, end];
    return isOnce;
  });
  return place === undefined || !isOnce ? undefined : `${text.slice(0, place[0])}${value}${text.slice(place[1])}`;
}

/** Compares without a copy of the name where it has no escapes. */
function isName(text: string, start: number, end: number, name: string): boolean {
  const isPlain = end - start - 2 === name.length && text.startsWith(name, start + 1);
  return isPlain || (end - start - 2 > name.length && nameOf(text.slice(start, end)) === name);
}

/** @param take called with each member, until it returns false */
function readMembers(text: string, take: (member: TextMember) => boolean): void {
  readPlaces(text, (nameStart, nameEnd, start, end) => {
    const nameText = text.slice(nameStart, nameEnd);
    return take({ name: nameOf(nameText), nameText, text: text.slice(start, end) });
  });
}

/** @param take called with the places of each name, with its quotation marks, and value, until it returns false */
function readPlaces(
  text: string,
  take: (nameStart: number, nameEnd: number, start: number, end: number) => boolean,
): void {
  let index = skipSpace(text, 0);
  if (text.charCodeAt(index) !== openObject) return;
  for (index = skipSpace(text, index + 1); text.charCodeAt(index) === quote; ) {
    const nameEnd = endOfString(text, index + 1) + 1;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    if (!take(index, nameEnd, start, end)) return;
    index = skipSpace(text, skipSpace(text, end) + 1);
  }
}

/** Returns the elements of an array. Empty for another value. */
export function elementsOf(text: string): readonly string[] {
  const elements: string[] = [];
  let index = skipSpace(text, 0);
  if (text.charCodeAt(index) !== openArray) return elements;
  for (index = skipSpace(text, index + 1); index < text.length && text.charCodeAt(index) !== closeArray; ) {
    const end = endOfValue(text, index);
    elements.push(text.slice(index, end));
    index = skipSpace(text, end);
    if (text.charCodeAt(index) === comma) index = skipSpace(text, index + 1);
  }
  return elements;
}

/**
 * Returns the name that occurs twice, if there is one.
 *
 * @param anyCase names, in lower case, that are taken for the same in every spelling: some parsers, such as
 *   `encoding/json` of Go, find a member whatever the case of its letters
 */
export function duplicateName(members: readonly TextMember[], anyCase: ReadonlySet<string>): string | undefined {
  const names = new Set<string>();
  return members.find(({ name }) => {
    // Both ways, as in Unicode's simple case folding: U+017F is a small s in upper case only, U+212A a k in lower case.
    const folded = name.toUpperCase().toLowerCase();
    return names.size === names.add(anyCase.has(folded) ? folded : name).size;
  })?.name;
}

/**
 * Returns the path of a member that occurs twice, at any level: `JSON.parse` keeps the last one without a word. Takes
 * time in proportion to the text and its depth; bound both.
 */
export function repeatedMember(text: string, path = ''): string | undefined {
  const members = membersOf(text);
  const pathOf = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const twice = duplicateName(members, new Set());
  if (twice !== undefined) return pathOf(twice);
  const inner = [
    ...members.map((member) => [pathOf(member.name), member.text] as const),
    ...elementsOf(text).map((element, index) => [`${path}[${index}]`, element] as const),
  ];
  for (const [innerPath, innerText] of inner) {
    const found = repeatedMember(innerText, innerPath);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Changes an object. A member at or above a changed place that occurs twice is kept once, the last one, as `JSON.parse`
 * reads it; a new member comes last.
 *
 * @param encode writes the new values
 * @returns the text in parts: what is not changed is a slice of the text, so that a large one is not copied
 */
export function changeParts(
  text: string,
  changes: readonly JsonChange[],
  encode: (value: unknown) => string,
): readonly string[] {
  const bySteps = groupByStep(changes);
  if (text.charCodeAt(skipSpace(text, 0)) === openArray) {
    const elements = elementsOf(text).map((element, index) => changedParts(element, bySteps.get(index), encode));
    return ['[', ...separated(elements), ']'];
  }
  const members = membersOf(text);
  const last = new Map(members.map((member) => [member.name, member]));
  const kept = members.map((member) => {
    const own = bySteps.get(member.name);
    if (own === undefined) return [member.nameText, ':', member.text];
    const value = last.get(member.name) === member ? changedParts(member.text, own, encode) : [];
    return value.length === 0 ? [] : [member.nameText, ':', ...value];
  });
  const added = changes.map(({ path, value }) => {
    const step = path[0];
    if (path.length > 1 || value === undefined) return [];
    const isNew = typeof step === 'string' && !last.has(step);
    return isNew ? [JSON.stringify(step), ':', encode(value)] : [];
  });
  return ['{', ...separated([...kept, ...added]), '}'];
}

/** Puts commas between those that are not empty. */
function separated(all: readonly (readonly string[])[]): readonly string[] {
  return all.filter(({ length }) => length > 0).flatMap((parts, index) => (index === 0 ? parts : [',', ...parts]));
}

/** Changes the parsed value as {@link changeParts} changes its text. Returns a copy. */
export function changeValue<T extends object>(object: T, changes: readonly JsonChange[]): T {
  const copy: T = { ...object };
  for (const [step, own] of groupByStep(changes)) {
    if (typeof step !== 'string') continue;
    const before: unknown = Object.hasOwn(copy, step) ? Reflect.get(copy, step) : undefined;
    const after = changedValue(before, own);
    if (after === undefined) Reflect.deleteProperty(copy, step);
    // Not by assignment, which takes `__proto__` for something else than a member.
    else Object.defineProperty(copy, step, { value: after, configurable: true, enumerable: true, writable: true });
  }
  return copy;
}

function groupByStep(changes: readonly JsonChange[]): ReadonlyMap<string | number | undefined, readonly JsonChange[]> {
  const groups = new Map<string | number | undefined, JsonChange[]>();
  for (const change of changes) {
    const step = change.path[0];
    const group = groups.get(step);
    if (group === undefined) groups.set(step, [change]);
    else group.push(change);
  }
  return groups;
}

/** Returns nothing for a value that is removed. */
function changedParts(
  text: string,
  changes: readonly JsonChange[] | undefined,
  encode: (value: unknown) => string,
): readonly string[] {
  if (changes === undefined) return [text];
  const whole = changes.find(({ path }) => path.length === 1);
  if (whole !== undefined) return whole.value === undefined ? [] : [encode(whole.value)];
  const first = text.charCodeAt(skipSpace(text, 0));
  return first === openObject || first === openArray ? changeParts(text, changes.map(withinFirst), encode) : [text];
}

function changedValue(value: unknown, changes: readonly JsonChange[]): unknown {
  const whole = changes.find(({ path }) => path.length === 1);
  if (whole !== undefined) return whole.value;
  if (typeof value !== 'object' || value === null) return value;
  const inner = changes.map(withinFirst);
  if (!Array.isArray(value)) return changeValue(value, inner);
  const byIndex = groupByStep(inner);
  return value.flatMap((element: unknown, index) => {
    const own = byIndex.get(index);
    const after = own === undefined ? element : changedValue(element, own);
    return after === undefined ? [] : [after];
  });
}

function withinFirst({ path: [, ...path], ...change }: JsonChange): JsonChange {
  return { ...change, path };
}

function nameOf(nameText: string): string {
  return nameText.includes('\\') ? String(JSON.parse(nameText)) : nameText.slice(1, -1);
}

/** Returns the index after a value. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = endOfString(text, index + 1);
      if (depth === 0) return index + 1;
    } else if (code === openObject || code === openArray) {
      depth += 1;
    } else if (code === closeObject || code === closeArray) {
      // The end of what is around a number, or of this value itself.
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && (code === comma || code <= space)) {
      return index;
    }
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let index = start;
  while (text.charCodeAt(index) <= space) index += 1;
  return index;
}

const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
