import type { Node } from '../../../gen/envoy/config/core/v3/base.ts';
import type { NodeMatcher } from '../../../gen/envoy/type/matcher/v3/node.ts';
import type { StructMatcher } from '../../../gen/envoy/type/matcher/v3/struct.ts';
import { isJsonObject } from '../../../json/json.ts';
import { type CompileRegex, regexCompiler } from './regex.ts';
import { InvalidMatcher, stringMatcher } from './string-matcher.ts';
import { valueMatcher } from './value-matcher.ts';

type NodeTest = (node: Node) => boolean;

/**
 * Compiles NodeMatchers: a node matches if one of them matches, or if there are none.
 *
 * @throws {InvalidMatcher} for a matcher that is invalid or not supported
 */
export async function nodeMatcher(matchers: readonly NodeMatcher[]): Promise<NodeTest> {
  const compile = regexCompiler();
  const tests = await Promise.all(
    matchers.map((matcher, index) => single(matcher, `node_matchers[${index}]`, compile)),
  );
  return (node) => tests.length === 0 || tests.some((test) => test(node));
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
