import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { repeatedMember } from '../../json/json-text.ts';
import { quoted } from '../../json/quoted.ts';
import { headerNameProblem, headerValueProblem } from '../../net/outbound/request-headers.ts';

/** The headers that are added to requests, by target and then by name in lower case. The values are secrets. */
export type TargetHeaders = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Headers of one target: a third of those that servers take. */
const maxHeaders = 32;

/** For a thousand targets. The bytes are those of a file that is read. */
const bounds = { maxValues: 100_000, maxDepth: 2 } as const;

/**
 * Decodes a file with headers: `{"<target>": {"<name>": "<value>"}}`. There is no entry for all targets: a secret goes
 * to the one that it is for.
 *
 * @throws Error that names the target and the header, and never a value
 */
export function decodeTargetHeaders(text: string): TargetHeaders {
  const parsed = parseBoundedJson(text, bounds);
  if (parsed.kind !== 'json') throw new Error('is no JSON of an object with one object for each target');
  const twice = repeatedMember(text);
  if (twice !== undefined) throw new Error(`${quoted(twice)} is there twice; keep one of the two`);
  const headers = new Map<string, ReadonlyMap<string, string>>();
  for (const [target, entries] of Object.entries(objectOf(parsed.value, ''))) {
    if (!/^[^/\s:]+\/[^\s:]+$/.test(target)) {
      throw new Error(`${quoted(target)} is no target; write its name as /targets has it, such as default/mcp-tool`);
    }
    headers.set(target, headersIn(objectOf(entries, quoted(target)), quoted(target)));
  }
  return headers;
}

function headersIn(entries: Readonly<Record<string, unknown>>, target: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [written, value] of Object.entries(entries)) {
    const name = written.toLowerCase();
    const problem =
      headerNameProblem(name) ??
      (typeof value === 'string' ? headerValueProblem(value) : 'has a value that is no text');
    if (problem !== undefined) throw new Error(`${target}: ${quoted(written)} ${problem}`);
    if (headers.has(name)) throw new Error(`${target}: ${quoted(written)} is there twice`);
    headers.set(name, String(value));
  }
  if (headers.size > maxHeaders) throw new Error(`${target}: has more than ${maxHeaders} headers`);
  return headers;
}

function objectOf(json: unknown, target: string): Readonly<Record<string, unknown>> {
  if (isJsonObject(json)) return json;
  throw new Error(`${target === '' ? 'it' : target} must be an object`);
}
