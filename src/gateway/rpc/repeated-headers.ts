import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { ParamHeader } from './param-headers.ts';

/** Characters of the values of one request, encoded: half of the head that most servers take. */
const maxValues = 8 * 1024;

/** The headers of a call with these arguments. Leaves out what is missing, no primitive value, or too large. */
export function headersOf(declared: readonly ParamHeader[], args: unknown): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  let length = 0;
  for (const { header, path } of declared) {
    const text = textOf(valueAt(args, path));
    const encoded = text === undefined ? undefined : encodeHeader(text);
    length += encoded?.length ?? 0;
    if (encoded !== undefined && length <= maxValues) headers[header] = encoded;
  }
  return headers;
}

/**
 * Returns the first header that does not say what the arguments say: one that is missing, has another value, or names a
 * value that they lack.
 */
export function contradictionOf(
  declared: readonly ParamHeader[],
  args: unknown,
  headers: Readonly<Record<string, unknown>>,
): string | undefined {
  return declared.find(({ header, path }) => {
    const value = valueAt(args, path);
    const text = textOf(value);
    const given = Object.hasOwn(headers, header) ? headers[header] : undefined;
    if (text === undefined) return given !== undefined;
    const decoded = typeof given === 'string' ? decodeHeader(given) : undefined;
    const isSameNumber =
      typeof value === 'number' && /^-?\d+(\.\d+)?$/.test(decoded ?? '') && Number(decoded) === value;
    return decoded !== text && !isSameNumber;
  })?.header;
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

/** `undefined` for what no header carries. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  return typeof value === 'number' && Number.isFinite(value) && !Number.isInteger(value) ? String(value) : undefined;
}

/** Encodes what is no visible ASCII, or begins or ends with a space: `=?base64?<UTF-8 in base 64>?=`. */
export function encodeHeader(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?')) return value;
  return `=?base64?${Buffer.from(value).toString('base64')}?=`;
}

/** Decodes such a value; `undefined` for one that is not encoded as it should be. */
export function decodeHeader(value: string): string | undefined {
  if (/[^\t -~]/.test(value)) return undefined;
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const encoded = value.slice('=?base64?'.length, -'?='.length);
  const text = Buffer.from(encoded, 'base64').toString();
  // What is no UTF-8 becomes other bytes.
  return Buffer.from(text).toString('base64') === encoded ? text : undefined;
}

/** The member of the parameters that the header `Mcp-Name` repeats, by method. */
const named: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** Returns the name that `Mcp-Name` repeats; `undefined` for a method that has none. */
export function namedIn(method: string, params: JsonObject | undefined): string | undefined {
  const member = Object.hasOwn(named, method) ? named[method] : undefined;
  const value = member === undefined ? undefined : params?.[member];
  return typeof value === 'string' ? value : undefined;
}
