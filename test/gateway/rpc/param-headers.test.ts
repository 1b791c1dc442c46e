import { describe, expect, it } from 'vitest';
import { declaredIn, withListed } from '../../../src/gateway/rpc/param-headers.ts';

const region = { type: 'string', 'x-mcp-header': 'Region' };
const object = (properties: object, rest: object = {}): object => ({ type: 'object', properties, ...rest });
const problemOf = (schema: unknown): string | undefined => {
  const declared = declaredIn(schema);
  return declared.kind === 'invalid' ? declared.problem : undefined;
};

describe('the schema of a tool', () => {
  it('declares headers of parameters, and of properties of parameters', () => {
    expect(declaredIn(object({ region, inner: object({ n: { type: 'integer', 'x-mcp-header': 'n' } }) }))).toEqual({
      kind: 'headers',
      headers: [
        { header: 'mcp-param-region', path: ['region'] },
        { header: 'mcp-param-n', path: ['inner', 'n'] },
      ],
    });
  });

  it('names no other header than one with the prefix mcp-param-, whatever it names', () => {
    expect(declaredIn(object({ token: { type: 'string', 'x-mcp-header': 'Authorization' } }))).toEqual({
      kind: 'headers',
      headers: [{ header: 'mcp-param-authorization', path: ['token'] }],
    });
  });

  it.each<[string, object]>([
    ['has no schema of that kind', { type: 'object', default: { 'x-mcp-header': 1 }, required: ['x-mcp-header'] }],
    ['has a parameter of that name', object({ 'x-mcp-header': { type: 'string' } })],
    ['has data of that form', object({ a: { enum: [region], const: region, examples: [region] } })],
    ['refers to itself', object({ self: { $ref: '#' } }, { $defs: { loop: { $ref: '#/$defs/loop' } } })],
    ['is no object', true as unknown as object],
  ])('declares nothing when it %s', (_, schema) => {
    expect(declaredIn(schema)).toEqual({ kind: 'headers', headers: [] });
  });

  it.each<[string, object]>([
    ['an empty name', object({ a: { type: 'string', 'x-mcp-header': '' } })],
    ['a blank', object({ a: { type: 'string', 'x-mcp-header': 'My Region' } })],
    ['a colon', object({ a: { type: 'string', 'x-mcp-header': 'Region:1' } })],
    ['a line break', object({ a: { type: 'string', 'x-mcp-header': 'Region\r\nx: y' } })],
    ['another letter than ASCII', object({ a: { type: 'string', 'x-mcp-header': 'Région' } })],
    ['a number in place of the name', object({ a: { type: 'string', 'x-mcp-header': 7 } })],
    ['an object that has one', object({ a: { ...object({}), 'x-mcp-header': 'A' } })],
    ['a list that has one', object({ a: { type: 'array', 'x-mcp-header': 'A' } })],
    ['null that has one', object({ a: { type: 'null', 'x-mcp-header': 'A' } })],
    ['a number that is no integer', object({ a: { type: 'number', 'x-mcp-header': 'A' } })],
    ['two types', object({ a: { type: ['string', 'null'], 'x-mcp-header': 'A' } })],
    ['no type', object({ a: { 'x-mcp-header': 'A' } })],
    ['one header twice', object({ a: region, b: region })],
    ['one header twice, in other letters', object({ a: region, b: { type: 'string', 'x-mcp-header': 'REGION' } })],
    ['one at the root', { ...object({}), 'x-mcp-header': 'Root' }],
    ['one of a list', object({ a: { type: 'array', items: region } })],
    ['one of an alternative', object({}, { anyOf: [object({ region })] })],
    ['one of a condition', object({}, { if: object({}), else: object({ region }) })],
    ['one of a definition', object({ a: { $ref: '#/$defs/region' } }, { $defs: { region } })],
    ['one of names that are not known', object({}, { additionalProperties: region })],
    ['one of names of a pattern', object({}, { patternProperties: { '^x': region } })],
    [
      '33 headers',
      object(Object.fromEntries([...Array(33).keys()].map((n) => [n, { ...region, 'x-mcp-header': `H${n}` }]))),
    ],
    ['one 17 levels deep', [...Array(17)].reduce<object>((inner) => object({ inner }), region)],
  ])('is invalid with %s', (_, schema) => {
    expect(problemOf(schema)).toEqual(expect.any(String));
  });

  it('may have a header 16 levels deep', () => {
    expect(problemOf([...Array(16)].reduce<object>((inner) => object({ inner }), region))).toBeUndefined();
  });
});

const keepAll = <E>(tools: readonly E[]): readonly E[] => tools;

it('headers that a tool no longer declares, or not as it should, are forgotten', () => {
  const tool = (inputSchema: object): object => ({ name: 'x', inputSchema });
  const known = withListed(undefined, [tool(object({ region }))], keepAll);
  expect(known.byTool.get('x')).toHaveLength(1);
  expect(withListed(known, [tool(object({}))], keepAll).byTool.has('x')).toBe(false);
  expect(withListed(known, [tool(object({ a: region, b: region }))], keepAll).byTool.has('x')).toBe(false);
  expect(withListed(known, [{ name: 'y' }], keepAll).byTool.has('x')).toBe(true);
});

it('headers of more than a thousand tools, or for which there is no room, are known not to be known', () => {
  const tools = Array.from({ length: 1_001 }, (_, index) => ({ name: `t${index}`, inputSchema: object({ region }) }));
  expect(withListed(undefined, tools.slice(1), keepAll)).toMatchObject({ isCut: false });
  const cut = withListed(undefined, tools, keepAll);
  expect([cut.byTool.size, cut.isCut]).toEqual([1_000, true]);
  const crowded = withListed(undefined, tools.slice(1), (kept) => kept.slice(1));
  expect([crowded.byTool.size, crowded.isCut]).toEqual([999, true]);
  expect(withListed(crowded, [], keepAll).isCut).toBe(true);
});
