import { expect, it, onTestFinished, vi } from 'vitest';
import type { Message } from '../../../../src/gateway/rpc/model.ts';
import { encodeMessage } from '../../../../src/gateway/rpc/source-text.ts';
import { RepeatedAnswers } from '../../../../src/gateway/upstream/transport/repeated-answers.ts';

const list: Message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const tools = (name: string): string => `{"tools":[{"name":"${name}", "x":1.0, "d":"${'d'.repeat(5_000)}"}]}`;
const answer = (id: number | string, result: string): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;

/** Parses texts one after another as answers to the same list. Counts the long ones that were really parsed. */
function parseAll(texts: readonly string[], request: Message = list) {
  const spied = vi.spyOn(JSON, 'parse');
  onTestFinished(() => void spied.mockRestore());
  const parse = new RepeatedAnswers().to(request);
  const all = texts.map((text) => parse?.({ text, longestString: 5_000 }) ?? { messages: [] });
  const parsed = spied.mock.calls.filter(([text]) => text.length > 1_000).length;
  return { parsed, messages: all.map(({ messages }) => messages[0]), all };
}

function resultOf(message: Message | undefined): object | undefined {
  return message !== undefined && 'result' in message ? message.result : undefined;
}

it('the same list is parsed once, whatever the id of the answer, and written as it was', () => {
  const { parsed, messages } = parseAll([answer(1, tools('a')), `${answer('"x y"', tools('a'))}\r\n`]);
  expect(parsed).toBe(1);
  expect(resultOf(messages[1])).toBe(resultOf(messages[0]));
  expect(messages.map((message) => message && encodeMessage(message))).toEqual([
    answer(1, tools('a')),
    answer('"x y"', tools('a')),
  ]);
});

it('another list is parsed, and then it is the last one', () => {
  const { parsed, messages } = parseAll(['a', 'b', 'b', 'a'].map((name, id) => answer(id, tools(name))));
  expect(parsed).toBe(3);
  expect(messages.map((message) => JSON.stringify(resultOf(message)).slice(10, 20))).toEqual(
    ['a', 'b', 'b', 'a'].map((name) => `{"name":"${name}"`.slice(0, 10)),
  );
});

it.each([
  ['has other members', `{"jsonrpc":"2.0","id":2,"error":null,"result":${tools('a')}}`],
  ['has a member before that is the result, too', `{"jsonrpc":"2.0","id":2,"result":{},"result":${tools('a')}}`],
  ['has its id at the end', `{"jsonrpc":"2.0","result":${tools('a')},"id":2}`],
  ['is a batch', `[${answer(2, tools('a'))}]`],
  ['is no JSON at the beginning', `{"jsonrpc":"2.0","id":2,"result":x${tools('a')}}`],
  ['has the result of another member', `{"jsonrpc":"2.0","id":2,"result":{"x":${tools('a')}}}`],
  ['has the list in a text', `{"jsonrpc":"2.0","id":2,"result":"${tools('a')}}`],
  ['is no response', `{"jsonrpc":"2.0","id":2,"method":"x","params":${tools('a')}}`],
])('a text that %s is parsed as any other', (_, text) => {
  const alone = parseAll([text]).all[0];
  const { all } = parseAll([answer(1, tools('a')), text]);
  expect(all[1]).toEqual(alone);
});

it('answers to other requests, and further pages of lists, are parsed always', () => {
  const requests: readonly Message[] = [
    { jsonrpc: '2.0', id: 1, method: 'tools/call' },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor: 'x' } },
    { jsonrpc: '2.0', id: 1, result: {} },
  ];
  expect(requests.map((request) => new RepeatedAnswers().to(request))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
