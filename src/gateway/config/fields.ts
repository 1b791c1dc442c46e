import { GatewayError } from '../errors.ts';

/** One JSON object of a configuration and its place in it; every read is checked, and names the field when it fails. */
export interface Fields {
  /** The place of a field, as `listener.authn.jwks`. */
  place(name: string): string;
  /** The names of the fields that are there and not among `known`. */
  unknown(known: readonly string[]): readonly string[];
  /** Refuses fields that are not known: here they could be meant to narrow something. */
  only(known: readonly string[]): void;
  /** The value of a field, `undefined` when absent. */
  value(name: string): unknown;
  /** A non-empty string. */
  string(name: string, remedy: string): string;
  /** One of the given words. */
  word<const Word extends string>(name: string, words: readonly Word[]): Word;
  /** An integer within the bounds, both included. */
  integer(name: string, least: number, most: number): number;
  /** A list of non-empty strings; absent is empty. */
  strings(name: string): readonly string[];
  /** A map of strings; absent and `null` are empty. */
  stringMap(name: string): ReadonlyMap<string, string>;
  /** An object, which must be there. */
  object(name: string): Fields;
  /** An object; absent and `null` are `undefined`. */
  optionalObject(name: string): Fields | undefined;
}

/** Why a configuration cannot be used: the place, what is wrong there, and what to write instead. */
export function configError(place: string, problem: string): GatewayError {
  return new GatewayError('usage', `${place}: ${problem}`);
}

/**
 * Reads a JSON object.
 *
 * @param place how the object is called in messages; empty for the whole document
 * @throws GatewayError when it is none, and in every method when a field is not what it should be
 */
export function fieldsOf(json: unknown, place: string): Fields {
  if (!isObject(json)) throw configError(place || 'the configuration', `must be an object, not ${kindOf(json)}`);
  const at = (name: string): string => (place === '' ? name : `${place}.${name}`);
  const value = (name: string): unknown => (Object.hasOwn(json, name) ? json[name] : undefined);
  const wrong = (name: string, wanted: string): GatewayError =>
    configError(
      at(name),
      value(name) === undefined ? `is missing: write ${wanted}` : `must be ${wanted}, not ${kindOf(value(name))}`,
    );
  const unknown = (known: readonly string[]): readonly string[] =>
    Object.keys(json).filter((name) => !known.includes(name));

  return {
    place: at,
    unknown,
    only(known) {
      const [first] = unknown(known);
      if (first !== undefined) throw configError(at(first), `is not a field known here; known are ${known.join(', ')}`);
    },
    value,
    string(name, remedy) {
      const found = value(name);
      if (typeof found !== 'string' || found === '') throw wrong(name, remedy);
      return found;
    },
    word(name, words) {
      const found = words.find((word) => word === value(name));
      if (found === undefined) throw wrong(name, words.map((word) => `"${word}"`).join(' or '));
      return found;
    },
    integer(name, least, most) {
      const found = value(name);
      if (typeof found !== 'number' || !Number.isInteger(found) || found < least || found > most) {
        throw wrong(name, `an integer from ${least} to ${most}`);
      }
      return found;
    },
    strings(name) {
      const found = value(name) ?? [];
      const strings = Array.isArray(found) ? found.filter((item) => typeof item === 'string' && item !== '') : [];
      if (value(name) === null || !Array.isArray(found) || strings.length < found.length) {
        throw wrong(name, 'a list of non-empty strings, such as ["me"]');
      }
      return strings;
    },
    stringMap: (name) => stringMap(value(name) ?? {}, at(name)),
    object: (name) => {
      if (value(name) === undefined) throw wrong(name, 'an object');
      return fieldsOf(value(name), at(name));
    },
    optionalObject: (name) => ((value(name) ?? null) === null ? undefined : fieldsOf(value(name), at(name))),
  };
}

function stringMap(json: unknown, place: string): ReadonlyMap<string, string> {
  if (!isObject(json)) throw configError(place, `must be a map of strings, not ${kindOf(json)}`);
  const map = new Map<string, string>();
  for (const [key, found] of Object.entries(json)) {
    if (typeof found !== 'string')
      throw configError(`${place}.${key}`, `must be a string, not ${kindOf(found)}: put it in quotes`);
    map.set(key, found);
  }
  return map;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** A value as a message may show it: short scalars as written, everything else by its kind. */
function kindOf(json: unknown): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  if (typeof json === 'object') return 'an object';
  if (json === '') return 'an empty string';
  return typeof json === 'string' && json.length > 60 ? 'a longer text' : JSON.stringify(json);
}
