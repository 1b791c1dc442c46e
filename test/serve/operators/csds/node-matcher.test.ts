import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientStatusRequest, DeepPartial } from '../../../../src/gen/envoy/service/status/v3/csds.ts';
import { createOperator, type Operator } from '../../../support/nodes/operator.ts';
import { targetType } from '../../../support/worlds/hand-made-world.ts';
import { createServedWorld, nodeOf, type ServedWorld } from '../../../support/worlds/served-world.ts';

type Matcher = NonNullable<DeepPartial<ClientStatusRequest>['nodeMatchers']>[number];
type Text = NonNullable<Matcher['nodeId']>;
type Value = NonNullable<NonNullable<Matcher['nodeMetadatas']>[number]['value']>;

/** The metadata of three nodes, in addition to their role. */
const nodes = {
  alpha: { pool: 'Blue', weight: 1.5, spot: true, zones: ['a', 'b'], labels: { app: 'edge' }, nothing: null },
  beta: { pool: 'green', weight: 3, spot: false, zones: [] },
  gamma: {},
};

let world: ServedWorld;
let operator: Operator;

beforeAll(async () => {
  world = await createServedWorld();
  operator = await createOperator(world);
  world.commit((edit) => edit.gateway('default/gw'));
  for (const [id, extra] of Object.entries(nodes)) {
    const { metadata } = nodeOf('default/gw');
    const stream = world.stream().request(targetType, { node: { id, metadata: { ...metadata, ...extra } } });
    await stream.accept();
  }
});

afterAll(async () => {
  await operator.close();
  await world.close();
});

async function matched(...nodeMatchers: Matcher[]): Promise<readonly (string | undefined)[]> {
  const configs = await operator.ask({ nodeMatchers });
  return configs.map(({ node }) => node?.id).sort();
}

const text = ($case: 'exact' | 'prefix' | 'suffix' | 'contains', value: string, ignoreCase = false): Text => ({
  matchPattern: { $case, value },
  ignoreCase,
});
const regex = (value: string): Text => ({ matchPattern: { $case: 'safeRegex', value: { regex: value } } });
const id = (nodeId: Text): Matcher => ({ nodeId });
const at = (path: string, value: Value): Matcher => ({
  nodeMetadatas: [{ path: path.split('.').map((key) => ({ segment: { $case: 'key', value: key } })), value }],
});
const string = (matcher: Text): Value => ({ matchPattern: { $case: 'stringMatch', value: matcher } });
const double = (start: number, end: number): Value => ({
  matchPattern: { $case: 'doubleMatch', value: { matchPattern: { $case: 'range', value: { start, end } } } },
});
const exactly = (value: number): Value => ({
  matchPattern: { $case: 'doubleMatch', value: { matchPattern: { $case: 'exact', value } } },
});
const bool = (value: boolean): Value => ({ matchPattern: { $case: 'boolMatch', value } });
const present = (value: boolean): Value => ({ matchPattern: { $case: 'presentMatch', value } });
const isNull: Value = { matchPattern: { $case: 'nullMatch', value: {} } };
const oneOf = (value: Value): Value => ({
  matchPattern: { $case: 'listMatch', value: { matchPattern: { $case: 'oneOf', value } } },
});
const either = (...valueMatchers: Value[]): Value => ({ matchPattern: { $case: 'orMatch', value: { valueMatchers } } });

const accepted: readonly (readonly [by: string, matcher: Matcher, ids: readonly string[]])[] = [
  ['no condition', {}, ['alpha', 'beta', 'gamma']],
  ['exact', id(text('exact', 'beta')), ['beta']],
  ['exact, of no node', id(text('exact', 'bet')), []],
  ['exact, another case', id(text('exact', 'BETA')), []],
  ['exact, ignoring case', id(text('exact', 'BETA', true)), ['beta']],
  ['prefix', id(text('prefix', 'al')), ['alpha']],
  ['prefix, ignoring case', id(text('prefix', 'AL', true)), ['alpha']],
  ['suffix', id(text('suffix', 'ta')), ['beta']],
  ['suffix, ignoring case', id(text('suffix', 'MA', true)), ['gamma']],
  ['contains', id(text('contains', 'm')), ['gamma']],
  ['contains, ignoring case', id(text('contains', 'ET', true)), ['beta']],
  ['a regular expression of the whole id', id(regex('(be|al).*a')), ['alpha', 'beta']],
  ['a regular expression of a part', id(regex('bet')), []],
  ['a string in the metadata', at('pool', string(text('exact', 'Blue'))), ['alpha']],
  ['a string in the metadata, ignoring case', at('pool', string(text('contains', 'E', true))), ['alpha', 'beta']],
  ['a regular expression in the metadata', at('pool', string(regex('[a-z]+'))), ['beta']],
  ['a string inside an object', at('labels.app', string(text('prefix', 'ed'))), ['alpha']],
  ['a string for a number', at('weight', string(text('contains', '1'))), []],
  ['a path through a list', at('zones.0', string(text('exact', 'a'))), []],
  ['a path to a property of every object', at('constructor', present(true)), []],
  ['a number', at('weight', exactly(3)), ['beta']],
  ['a range includes its start', at('weight', double(1.5, 3)), ['alpha']],
  ['true', at('spot', bool(true)), ['alpha']],
  ['false is not absent', at('spot', bool(false)), ['beta']],
  ['null', at('nothing', isNull), ['alpha']],
  ['present', at('pool', present(true)), ['alpha', 'beta']],
  ['absent', at('pool', present(false)), ['gamma']],
  ['present, of an object', at('labels', present(true)), []],
  ['one of a list', at('zones', oneOf(string(text('exact', 'b')))), ['alpha']],
  ['one of several', at('weight', either(exactly(3), exactly(1.5))), ['alpha', 'beta']],
];

const refused: readonly (readonly [why: string, matcher: Matcher, problem: string])[] = [
  ['an id without a pattern', { nodeId: {} }, 'node_matchers[0].node_id: needs exact'],
  ['an empty prefix', id(text('prefix', '')), 'node_matchers[0].node_id.prefix: is empty'],
  ['an empty regular expression', id(regex('')), 'node_id.safe_regex.regex: is empty'],
  ['an invalid regular expression', id(regex('(')), 'safe_regex.regex: error parsing regexp: missing closing )'],
  ['a regular expression with a backreference', id(regex('(a)\\1')), 'invalid escape sequence'],
  ['a regular expression that is too large', id(regex('((a{999}){999}){999}')), 'too large'],
  ['a path without a key', { nodeMetadatas: [{ path: [{}], value: bool(true) }] }, 'node_metadatas[0].path[0]'],
  ['no path', { nodeMetadatas: [{ value: bool(true) }] }, 'node_metadatas[0].path: is empty'],
  ['no value', at('pool', {}), 'node_metadatas[0].value: needs a match'],
  ['no number', at('weight', { matchPattern: { $case: 'doubleMatch', value: {} } }), 'value.double_match: needs'],
  ['no alternatives', at('weight', either()), 'value.or_match: is empty'],
  ['a list of nothing', at('zones', { matchPattern: { $case: 'listMatch', value: {} } }), 'list_match.one_of: needs'],
];

describe('a node matcher', () => {
  it.each(accepted)('matches by %s', async (_, matcher, ids) => {
    expect(await matched(matcher)).toEqual(ids);
  });

  it('needs all of its conditions', async () => {
    const blue = at('pool', string(text('exact', 'Blue')));
    expect(await matched({ ...blue, nodeId: text('exact', 'alpha') })).toEqual(['alpha']);
    expect(await matched({ ...blue, nodeId: text('exact', 'beta') })).toEqual([]);
    const both = [...(blue.nodeMetadatas ?? []), ...(at('spot', bool(false)).nodeMetadatas ?? [])];
    expect(await matched({ nodeMetadatas: both })).toEqual([]);
  });

  it('matches if one of several does, and without any all nodes match', async () => {
    expect(await matched(id(text('exact', 'alpha')), id(text('exact', 'gamma')))).toEqual(['alpha', 'gamma']);
    expect(await matched()).toEqual(['alpha', 'beta', 'gamma']);
  });

  it.each(refused)('is rejected, with the field, for %s', async (_, matcher, problem) => {
    await expect(matched(matcher)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(problem),
    });
  });

  it('is rejected if one of several is invalid', async () => {
    await expect(matched(id(text('exact', 'alpha')), { nodeId: {} })).rejects.toMatchObject({
      details: expect.stringContaining('node_matchers[1]'),
    });
  });

  it('is rejected with more regular expressions than one request may have', async () => {
    const expressions = (count: number): readonly Matcher[] => Array.from({ length: count }, () => id(regex('alph.')));
    expect(await matched(...expressions(5))).toEqual(['alpha']);
    await expect(matched(...expressions(6))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('more than 5 regular expressions'),
    });
  });

  it('is rejected with more matchers than one request may have, wherever they are', async () => {
    const many = Array.from({ length: 257 }, () => id(text('contains', 'alpha')));
    await expect(matched(...many)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('more than 256 matchers'),
    });
    expect(await matched(...many.slice(1))).toEqual(['alpha']);
  });

  it('takes linear time for a hostile pattern', async () => {
    const long = `${'a'.repeat(5_000)}!`;
    const stream = world.stream().request(targetType, { node: { ...nodeOf('default/gw'), id: long } });
    await stream.accept();
    expect(await matched(id(regex('(a+)+b')))).toEqual([]);
    expect(await matched(id(regex('(a|a?)+!')))).toEqual([long]);
    stream.halfClose();
    await stream.ended();
  });

  it('above the request limit is not decoded', async () => {
    await expect(matched(id(text('exact', 'x'.repeat(100_000))))).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
  });
});
