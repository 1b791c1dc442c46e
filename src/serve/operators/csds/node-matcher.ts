import type { Node } from '../../../gen/envoy/config/core/v3/base.ts';
import type { NodeMatcher } from '../../../gen/envoy/type/matcher/v3/node.ts';
import type { StructMatcher } from '../../../gen/envoy/type/matcher/v3/struct.ts';
import type { ValueMatcher } from '../../../gen/envoy/type/matcher/v3/value.ts';
import { isJsonObject } from '../../../json/json.ts';
import { type CompileRegex, regexCompiler } from './regex.ts';
import { InvalidMatcher, stringMatcher } from './string-matcher.ts';
import { valueMatcher } from './value-matcher.ts';

type NodeTest = (node: Node) => boolean;

/** The most matchers of one request: on a node of 16 KiB each takes up to 20 µs, and no other stream is served between. */
const maxMatchers = 256;

/**
 * Compiles NodeMatchers: a node matches if one of them matches, or if there are none.
 *
 * @throws {InvalidMatcher} for a matcher that is invalid or not supported
 */
export async function nodeMatcher(matchers: readonly NodeMatcher[]): Promise<NodeTest> {
  const count = matchers.reduce(
    (sum, { nodeMetadatas }) => sum + 1 + countAll(nodeMetadatas.map(({ value }) => value)),
    0,
  );
  if (count > maxMatchers)
    throw new InvalidMatcher('node_matchers', `more than ${maxMatchers} matchers in one request`);
  const compile = regexCompiler();
  const tests = await Promise.all(
    matchers.map((matcher, index) => single(matcher, `node_matchers[${index}]`, compile)),
  );
  return (node) => tests.length === 0 || tests.some((test) => test(node));
}

function countAll(matchers: readonly (ValueMatcher | undefined)[]): number {
  return matchers.reduce((sum, matcher) => sum + 1 + countAll(partsOf(matcher)), 0);
}

function partsOf(matcher: ValueMatcher | undefined): readonly (ValueMatcher | undefined)[] {
  const pattern = matcher?.matchPattern;
  if (pattern?.$case === 'orMatch') return pattern.value.valueMatchers;
  return pattern?.$case === 'listMatch' ? [pattern.value.matchPattern?.value] : [];
}

async function single({ nodeId, nodeMetadatas }: NodeMatcher, field: string, compile: CompileRegex): Promise<NodeTest> {
  const id = nodeId === undefined ? () => true : await stringMatcher(nodeId, `${field}.node_id`, compile);
  const tests = await Promise.all(
    nodeMetadatas.map((matcher, index) => metadata(matcher, `${field}.node_metadatas[${index}]`, compile)),
  );
  return (node) => id(node.id) && tests.every((test) => test(node));
}

async function metadata({ path, value }: StructMatcher, field: string, compile: CompileRegex): Promise<NodeTest> {
  const keys = path.map(({ segment }, index) => {
    if (segment === undefined || segment.value === '') throw new InvalidMatcher(`${field}.path[${index}]`, 'needs key');
    return segment.value;
  });
  if (keys.length === 0) throw new InvalidMatcher(`${field}.path`, 'is empty');
  const matches = await valueMatcher(value, `${field}.value`, compile);
  return (node) => matches(keys.reduce<unknown>(member, node.metadata));
}

function member(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
