import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';

/** A parameter of a tool that a request repeats in a header (MCP 2026-07-28, `x-mcp-header`). */
export interface ParamHeader {
  /** In lower case, with the prefix `mcp-param-`: so no schema can name another header. */
  readonly header: string;
  /** Names of members in the arguments, from the outermost on. */
  readonly path: readonly string[];
}

/** The headers of a target's tools. */
export interface ParamHeaders {
  /** By the name of the tool. Has no entry for a tool without such parameters. */
  readonly byTool: ReadonlyMap<string, readonly ParamHeader[]>;
  /** Whether those of some tools had no room: of a tool without an entry, nothing is known then. */
  readonly isCut: boolean;
}

/** Keeps of the headers of some tools as many as there is room for. */
type KeepTools = (tools: readonly ToolHeaders[], bytesOf: (tool: ToolHeaders) => number) => readonly ToolHeaders[];

type ToolHeaders = readonly [name: string, headers: readonly ParamHeader[]];

/** What the schema of a tool declares: its headers, or why clients over HTTP must do without the tool. */
type Declared =
  | { readonly kind: 'headers'; readonly headers: readonly ParamHeader[] }
  | { readonly kind: 'invalid'; readonly problem: string };

/** Parameters of one tool with headers, tools of a target that have any, and levels of `properties`. */
const maxHeaders = 32;
const maxTools = 1_000;
const maxLevels = 16;

/** Characters of the names of one header with its path. */
const maxNames = 512;

/** The name of a header (RFC 9110, 5.1). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const primitives: readonly unknown[] = ['string', 'integer', 'boolean'];

const annotation = 'x-mcp-header';

/** Keywords of JSON Schema 2020-12 and earlier drafts: what is in them are schemas, or schemas by name. */
const keywords: ReadonlyMap<string, 'schemas' | 'by name'> = new Map([
  ...[
    ...['items', 'prefixItems', 'additionalItems', 'contains', 'unevaluatedItems'],
    ...['additionalProperties', 'unevaluatedProperties', 'propertyNames'],
    ...['oneOf', 'anyOf', 'allOf', 'not', 'if', 'then', 'else'],
  ].map((keyword) => [keyword, 'schemas'] as const),
  ...['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas'].map(
    (keyword) => [keyword, 'by name'] as const,
  ),
]);

/** Returns what is known after some tools were listed: those of the list, and of other pages what was known before. */
export function withListed(known: ParamHeaders | undefined, tools: unknown, keep: KeepTools): ParamHeaders {
  const { byTool = new Map(), isCut = false } = known ?? {};
  if (!Array.isArray(tools)) return { byTool, isCut };
  const changed = new Map<string, readonly ParamHeader[]>(byTool);
  for (const tool of tools) {
    if (!isJsonObject(tool) || typeof tool['name'] !== 'string') continue;
    const declared = declaredIn(tool['inputSchema']);
    changed.delete(tool['name']);
    if (declared.kind === 'headers' && declared.headers.length > 0) changed.set(tool['name'], declared.headers);
  }
  const kept = keep([...changed].slice(0, maxTools), bytesOf);
  return { byTool: new Map(kept), isCut: isCut || kept.length < changed.size };
}

/** Memory of the headers of a tool: texts, two bytes for each character, and objects. */
function bytesOf([name, headers]: ToolHeaders): number {
  const ofHeaders = headers.map(({ header, path }) => 150 + 2 * (header.length + path.join('').length));
  return 200 + 2 * name.length + ofHeaders.reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Returns what a schema declares, by the rules of MCP 2026-07-28 (Streamable HTTP, Schema Extension): a header is of a
 * parameter with a primitive type, which a chain of `properties` leads to, and of no other parameter. Follows no
 * `$ref`.
 */
export function declaredIn(schema: unknown): Declared {
  const headers: ParamHeader[] = [];
  const problem = collect(schema, [], headers);
  return problem === undefined ? { kind: 'headers', headers } : { kind: 'invalid', problem };
}

/** @param path `undefined` where no header can be declared; changed meanwhile, and at the end as it was */
function collect(schema: unknown, path: string[] | undefined, found: ParamHeader[]): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (Object.hasOwn(schema, annotation)) {
    const header = headerIn(schema, path, found);
    if (typeof header === 'string') return header;
    found.push(header);
  }
  for (const keyword of Object.keys(schema)) {
    const value = schema[keyword];
    const kind = typeof value === 'object' ? keywords.get(keyword) : undefined;
    if (kind === undefined || typeof value !== 'object' || value === null) continue;
    const isBelow = keyword === 'properties' && path !== undefined && path.length < maxLevels;
    // One schema is itself, and of a list or by name each value is one.
    const isOne = kind === 'schemas' && !Array.isArray(value);
    const problem = isOne ? collect(value, undefined, found) : collectEach(value, isBelow ? path : undefined, found);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function collectEach(schemas: object, path: string[] | undefined, found: ParamHeader[]): string | undefined {
  for (const [name, schema] of Object.entries(schemas)) {
    path?.push(name);
    const problem = collect(schema, path, found);
    path?.pop();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Returns the header of a schema that names one, or what is wrong with it. */
function headerIn(
  schema: JsonObject,
  path: readonly string[] | undefined,
  found: readonly ParamHeader[],
): ParamHeader | string {
  const name = schema[annotation];
  if (path === undefined || path.length === 0) {
    return `only a parameter may name a header, or a property of one, down to ${maxLevels} levels of properties alone`;
  }
  const parameter = `the parameter ${quoted(path.join('.'))}`;
  if (typeof name !== 'string' || !token.test(name)) return `${parameter} names what is no name of a header`;
  if (!primitives.includes(schema['type'])) return `${parameter} has a header, and is no string, integer or boolean`;
  if (found.length === maxHeaders) return `more than ${maxHeaders} parameters have headers`;
  if (name.length + path.join('').length > maxNames) return `${parameter} and its header have too long names`;
  const header = `mcp-param-${name.toLowerCase()}`;
  if (found.some((other) => other.header === header)) return `two parameters have the header ${header}`;
  return { header, path: [...path] };
}
