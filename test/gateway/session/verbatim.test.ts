import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTextTarget, type TextTransport } from '../../support/gateway/text-target.ts';
import { openTextClient } from '../../support/nodes/text-client.ts';

/*
 * Messages are compared as texts: what is not renamed reaches the other side as it was written, but for white space
 * between tokens.
 */

const numbers = ['1234567890123456789', '1e400', '-0', '1.0', '0.10', '1E+2', '-1e-400', '3.0000000000000000001', '7'];
const strings = ['"\\u0041\\/"', '"\\ud800"', '"é\\u00e9\u2028"', '"a\\"},{[b"', '"\\\\"', '""'];
const names = ['"2"', '"1"', '"__proto__"', '"\\u0061"', '"a"', '"name"', '"uri"', '""'];

const space = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t');

/** A JSON text in one of the many spellings that a parser accepts. Names occur twice, too. */
const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const spaced = fc.tuple(space, tie('value'), space).map((parts) => parts.join(''));
  const name = fc.oneof(
    fc.constantFrom(...names),
    fc.string().map((text) => JSON.stringify(text)),
  );
  const member = fc.tuple(space, name, space, spaced).map(([before, key, after, value]) => {
    return `${before}${key}${after}:${value}`;
  });
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(...numbers, ...strings, 'true', 'false', 'null', '{}', '[]'),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
      fc.array(spaced, { maxLength: 4 }).map((elements) => `[${elements}]`),
      fc.array(member, { maxLength: 5 }).map((members) => `{${members}}`),
    ),
  };
}).value;

/** Removes white space between tokens. */
function tokensOf(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/gs, '$1');
}

const uri = 'file:///l';
const exposedUri = 'mcp://a/file%3A%2F%2F%2Fl';

function callParams(name: string, token: string, x: string): string {
  return `{ "2":${x},"name" : "${name}", "arguments":${x},"1":-0,"_meta":{"vendor/x":${x},"progressToken":${token}}}`;
}

function callResult(link: string, x: string): string {
  const content = `[{"type":"text","9":${x},"text":"\\u0041"},{"type":"resource_link","8":1.0,"uri":"${link}","x":${x}}, 7e0]`;
  return `{"9":${x},"content":${content},"structuredContent":${x},"_meta":{"y":${x}}}`;
}

function message(id: string | number, rest: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${rest}}`;
}

const ways: readonly [TextTransport, '/mcp' | '/sse'][] = [
  ['json', '/mcp'],
  ['json', '/sse'],
  ['event stream', '/mcp'],
  ['event stream', '/sse'],
  ['http-sse', '/mcp'],
  ['http-sse', '/sse'],
];

describe.each(ways)('what is passed on stays as it was written: target with %s, client at %s', (transport, path) => {
  it('in calls, results, errors, notifications and lists', { timeout: 60_000 }, async () => {
    let x = '0';
    await using target = await startTextTarget(transport, ({ id, method, text }) => {
      if (method === 'tools/list') {
        const tools = `[{"1":${x},"name":"t","inputSchema":${x}},0,{"inputSchema":${x},"name":"u"}]`;
        return [message(Number(id), `"result":{"tools":${tools}}`)];
      }
      if (text.includes('"name":"fail"')) {
        return [message(Number(id), `"error":{"code":-32002,"message":"\\u0041","data":${x},"more":${x}}`)];
      }
      const token = JSON.parse(text).params._meta?.progressToken;
      return [
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"2":${x},"progressToken":${token},"progress":1.0,"x":${x}}}`,
        `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${x}}}`,
        message(Number(id), `"result":${callResult(uri, x)}`),
      ];
    });
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    gateway.config.allowAll('ns.all', 'me');
    await using client = await openTextClient(gateway, path, gateway.token('me'));
    let nextId = 1;

    const check = async (random: string): Promise<void> => {
      x = random;
      const id = `id-${nextId++}`;
      const call = message(id, `"method":"tools/call","params":${callParams('a:t', '"mine"', x)}`);
      const replies = (await client.request(call)).map(tokensOf);
      const sent = target.received.get('tools/call') ?? '';
      const token = JSON.stringify(JSON.parse(sent).params._meta.progressToken);
      const sentId = JSON.parse(sent).id;
      expect(tokensOf(sent)).toBe(
        tokensOf(message(sentId, `"method":"tools/call","params":${callParams('t', token, x)}`)),
      );
      expect(replies.at(-1)).toBe(tokensOf(message(id, `"result":${callResult(exposedUri, x)}`)));
      if (transport !== 'json') {
        expect(replies.slice(0, -1)).toEqual([
          tokensOf(
            `{"jsonrpc":"2.0","method":"notifications/progress","params":{"2":${x},"progressToken":"mine","progress":1.0,"x":${x}}}`,
          ),
          tokensOf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${x}}}`),
        ]);
      }

      const failing = await client.request(message(id, `"method":"tools/call","params":{"name":"a:fail","x":${x}}`));
      expect(tokensOf(failing.at(-1) ?? '')).toBe(
        tokensOf(message(id, `"error":{"code":-32002,"message":"\\u0041","data":${x},"more":${x}}`)),
      );

      const listed = await client.request(message(id, `"method":"tools/list","params":{"1":1.0,"x":${x}}`));
      const tools = `[{"1":${x},"name":"a:t","inputSchema":${x}},{"inputSchema":${x},"name":"a:u"}]`;
      expect(tokensOf(listed.at(-1) ?? '')).toBe(tokensOf(message(id, `"result":{"tools":${tools}}`)));
      expect(tokensOf(target.received.get('tools/list') ?? '')).toContain(tokensOf(`"params":{"1":1.0,"x":${x}}`));
    };
    for (const known of [...numbers, ...strings]) await check(known);
    await fc.assert(fc.asyncProperty(jsonText, check), { numRuns: 60 });
  });
});

it.each([
  ['method', '"id":1,"method":"tools/call","method":"ping","params":{}'],
  ['id', '"id":1,"id":2,"method":"ping"'],
  ['name', '"id":1,"method":"tools/call","params":{"name":"a:allowed","name":"a:denied"}'],
  ['name', '"id":1,"method":"tools/call","params":{"name":"a:allowed","n\\u0061me":"a:denied"}'],
  [
    'progressToken',
    '"id":1,"method":"tools/call","params":{"name":"a:t","_meta":{"progressToken":1,"progressToken":2}}',
  ],
  ['uri', '"id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"a","uri":"b"}}'],
  ['params', '"id":1,"method":"tools/call","params":{"name":"a:allowed"},"params":{"name":"a:denied"}'],
  ['Name', '"id":1,"method":"tools/call","params":{"name":"a:allowed","Name":"denied"}'],
  ['URI', '"id":1,"method":"resources/read","params":{"uri":"mcp://a/allowed","URI":"denied"}'],
])('a request that has the member %s twice is refused, and reaches no target', async (name, members) => {
  await using target = await startTextTarget('json', ({ id }) => [message(Number(id), '"result":{}')]);
  await using gateway = await startGateway();
  gateway.config.putTarget(target.target('a'));
  gateway.config.allowAll('ns.all', 'me');
  for (const path of ['/mcp', '/sse'] as const) {
    await using client = await openTextClient(gateway, path, gateway.token('me'));
    const [reply] = await client.request(`{"jsonrpc":"2.0",${members}}`);
    expect(JSON.parse(reply ?? '')).toMatchObject({
      error: { code: -32600, message: `The body has the member "${name}" twice` },
    });
  }
  expect([...target.received.keys()]).not.toContain('tools/call');
});

it('a result that has a member twice is no answer, so the call fails', async () => {
  await using target = await startTextTarget('json', ({ id }) => [
    message(Number(id), '"result":{"content":[],"content":[{"type":"text","text":"other"}]}'),
  ]);
  await using gateway = await startGateway();
  gateway.config.putTarget(target.target('a'));
  gateway.config.allowAll('ns.all', 'me');
  await using client = await openTextClient(gateway, '/mcp', gateway.token('me'));
  const replies = await client.request(message(1, '"method":"tools/call","params":{"name":"a:t"}'));
  expect(replies.map((reply) => JSON.parse(reply))).toMatchObject([{ error: { message: 'Target a does not answer' } }]);
  expect(gateway.log.lines.map(({ fields }) => fields['reason'])).toContain('a message has the member "content" twice');
});

it('a batch of a target with too many messages is not used, and a line says so', async () => {
  await using target = await startTextTarget('json', ({ id }) => {
    return [`[${new Array(101).fill(message(Number(id), '"result":{}'))}]`];
  });
  await using gateway = await startGateway();
  gateway.config.putTarget(target.target('a'));
  gateway.config.allowAll('ns.all', 'me');
  await using client = await openTextClient(gateway, '/mcp', gateway.token('me'));
  const replies = await client.request(message(1, '"method":"tools/call","params":{"name":"a:t"}'));
  expect(JSON.parse(replies.at(-1) ?? '')).toHaveProperty('error');
  expect(gateway.log.lines.map(({ fields }) => fields['reason'])).toContain('a batch has more than 100 messages');
});
