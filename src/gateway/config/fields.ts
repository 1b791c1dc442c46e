import { distance } from 'fastest-levenshtein';
import { isJsonObject } from '../../json/json.ts';
import { quoted, shortened } from '../../json/quoted.ts';
import { GatewayError } from '../errors.ts';

/** Typed access to the fields of one JSON object. Every method throws a {@link GatewayError} that names the field. */
export interface JsonFields {
  /** The path of a field, such as `listener.authn.jwks`. */
  path(name: string): string;
  /** The names of the fields that are not among `known`. */
  unknown(known: readonly string[]): readonly string[];
  /** Refuses unknown fields: one of them could be meant to restrict access. */
  only(known: readonly string[]): void;
  /** The value of a field, `undefined` when absent. */
  value(name: string): unknown;
  /** A non-empty string. */
  string(name: string, remedy: string): string;
  /** A string; absent, `null` and empty are `undefined`. */
  optionalString(name: string): string | undefined;
  /** One of the given words. */
  word<const Word extends string>(name: string, words: readonly Word[]): Word;
  /** An integer within the inclusive bounds. */
  integer(name: string, min: number, max: number): number;
  /**
   * A duration from 1 ms to 24 h, in milliseconds. Accepts the spellings of the deployed gateways: a number of seconds,
   * a number with a unit (`500ms`, `10s`, `5m`, `1h`), and `{"secs": 10, "nanos": 0}`.
   *
   * @param fallback the value of an absent or `null` field, in milliseconds
   */
  duration(name: string, fallback: number): number;
  /** A list of non-empty strings; absent is empty. */
  strings(name: string): readonly string[];
  /** A list of objects; absent is empty. */
  objects(name: string): readonly JsonFields[];
  /** A map of strings; absent and `null` are empty. */
  stringMap(name: string): ReadonlyMap<string, string>;
  /** An object; required. */
  object(name: string): JsonFields;
  /** An object; absent and `null` are `undefined`. */
  optionalObject(name: string): JsonFields | undefined;
}

/** Creates the error for a field: its path, the problem, and the remedy. */
export function configError(path: string, problem: string): GatewayError {
  return new GatewayError('usage', `${path}: ${problem}`);
}

function wrongValue(path: string, value: unknown, expected: string, misspelt: string | undefined): GatewayError {
  if (value !== undefined) return configError(path, `must be ${expected}, not ${describe(value)}`);
  return configError(
    path,
    misspelt === undefined ? `is missing: write ${expected}` : `is missing: did you mean it by ${quoted(misspelt)}?`,
  );
}

/** Returns the name that differs from that of a field in two letters, or of a short one, such as `host`, in one. */
function misspeltAs(field: string, names: readonly string[]): string | undefined {
  const most = field.length < 6 ? 1 : 2;
  const isNear = (name: string): boolean =>
    Math.abs(name.length - field.length) <= most && distance(name.toLowerCase(), field.toLowerCase()) <= most;
  return names.find((name) => name !== field && isNear(name));
}

/**
 * Reads a JSON object.
 *
 * @param path the name of the object in messages; empty for the whole document
 * @throws GatewayError when the value is not an object
 */
export function fieldsOf(json: unknown, path: string): JsonFields {
  if (!isJsonObject(json)) throw configError(path || 'the configuration', `must be an object, not ${describe(json)}`);
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const value = (name: string): unknown => (Object.hasOwn(json, name) ? json[name] : undefined);
  const wrong = (name: string, expected: string): GatewayError =>
    wrongValue(at(name), value(name), expected, misspeltAs(name, Object.keys(json)));
  const unknown = (known: readonly string[]): readonly string[] =>
    Object.keys(json).filter((name) => !known.includes(name));

  const fields: JsonFields = {
    path: at,
    unknown,
    only(known) {
      const [first] = unknown(known);
      if (first === undefined) return;
      const meant = known.find((name) => misspeltAs(name, [first]) !== undefined);
      const question = meant === undefined ? '' : `did you mean ${meant}? `;
      throw configError(at(shortened(first)), `is not a field known here; ${question}known are ${known.join(', ')}`);
    },
    value,
    string(name, remedy) {
      const found = value(name);
      if (typeof found !== 'string' || found === '') throw wrong(name, remedy);
      return found;
    },
    optionalString: (name) => ((value(name) ?? '') === '' ? undefined : fields.string(name, 'a string')),
    word(name, words) {
      const found = words.find((word) => word === value(name));
      if (found === undefined) throw wrong(name, words.map((word) => `"${word}"`).join(' or '));
      return found;
    },
    integer(name, min, max) {
      const found = value(name);
      if (typeof found !== 'number' || !Number.isInteger(found) || found < min || found > max) {
        throw wrong(name, `an integer from ${min} to ${max}`);
      }
      return found;
    },
    duration: (name, fallback) => ((value(name) ?? null) === null ? fallback : parseDuration(value(name), at(name))),
    strings(name) {
      const found = value(name) ?? [];
      const strings = Array.isArray(found) ? found.filter((item) => typeof item === 'string' && item !== '') : [];
      if (value(name) === null || !Array.isArray(found) || strings.length < found.length) {
        throw wrong(name, 'a list of non-empty strings, such as ["me"]');
      }
      return strings;
    },
    objects(name) {
      const found = value(name) ?? [];
      if (value(name) === null || !Array.isArray(found)) throw wrong(name, 'a list of objects');
      return found.map((item, index) => fieldsOf(item, `${at(name)}[${index}]`));
    },
    stringMap: (name) => parseStringMap(value(name) ?? {}, at(name)),
    object: (name) => {
      if (value(name) === undefined) throw wrong(name, 'an object');
      return fieldsOf(value(name), at(name));
    },
    optionalObject: (name) => ((value(name) ?? null) === null ? undefined : fieldsOf(value(name), at(name))),
  };
  return fields;
}

function parseStringMap(json: unknown, path: string): ReadonlyMap<string, string> {
  if (!isJsonObject(json)) throw configError(path, `must be a map of strings, not ${describe(json)}`);
  const map = new Map<string, string>();
  for (const [key, found] of Object.entries(json)) {
    if (typeof found !== 'string')
      throw configError(`${path}.${shortened(key)}`, `must be a string, not ${describe(found)}: put it in quotes`);
    map.set(key, found);
  }
  return map;
}

function parseDuration(json: unknown, path: string): number {
  const isObject = typeof json === 'object' && json !== null;
  const milliseconds = isObject ? durationOfObject(json, path) : durationOfScalar(json);
  if (milliseconds === undefined || milliseconds < 1 || milliseconds > 86_400_000) {
    throw configError(
      path,
      'must be a length of time from 1ms to 24h: write "10s", "500ms", "5m" or a number of seconds',
    );
  }
  return milliseconds;
}

function durationOfScalar(json: unknown): number | undefined {
  if (typeof json === 'number') return json * 1_000;
  if (typeof json !== 'string') return undefined;
  const { amount, unit } = /^(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)$/.exec(json)?.groups ?? {};
  return unit === undefined ? undefined : Number(amount) * (unitMilliseconds.get(unit) ?? Number.NaN);
}

function durationOfObject(json: object, path: string): number {
  const fields = fieldsOf(json, path);
  fields.only(['secs', 'nanos']);
  const nanos = fields.value('nanos') === undefined ? 0 : fields.integer('nanos', 0, 999_999_999);
  return fields.integer('secs', 0, 86_400) * 1_000 + nanos / 1_000_000;
}

const unitMilliseconds: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Formats a value for a message: short scalars as written, everything else by its kind. */
function describe(json: unknown): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  if (typeof json === 'object') return 'an object';
  if (json === '') return 'an empty string';
  return typeof json === 'string' ? quoted(json) : JSON.stringify(json);
}
