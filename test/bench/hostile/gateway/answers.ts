import type { ServerResponse } from 'node:http';
import {
  type AnswerRequest,
  emptyList,
  sendResult,
  sendText,
  type TargetMessage,
  targetAsked,
} from '../programs/bare-target.ts';
import { startHostileTarget } from '../programs/hostile-target.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';

const mebibyte = 2 ** 20;
/** Bytes of an answer in the tests. */
const short = 150_000;

/**
 * Answers of a target to the lists of honest clients. Whoever may create a Service can have such a target. The amount is
 * that of bytes.
 */
export const answerAttacks: readonly Attack[] = [
  ofLists('a list of small objects', { full: 30 * mebibyte, short }, (size) => {
    const tools = `[${'{},'.repeat(size / 3)}{}]`;
    return (message, response) => sendTools(response, message, tools);
  }),
  ofLists('a list with a large object of keys', { full: 16 * mebibyte, short }, (size) => {
    const keys = Array.from({ length: size / 10 }, (_, index) => `"${index.toString(36)}":0`);
    const tools = `[{"name":"a","x":{${keys.join(',')}}}]`;
    return (message, response) => sendTools(response, message, tools);
  }),
  ofLists('endless pages', { full: 1, short: 1 }, () => (message, response) => {
    pages += 1;
    sendResult(response, message, { tools: [{ name: `t${pages}` }], nextCursor: `page-${pages}` });
  }),
  ofLists('pages whose other members are large', { full: 8 * mebibyte, short }, (size) => {
    const rest = `[${'{},'.repeat(size / 3)}{}]`;
    return (message, response) => {
      pages += 1;
      sendTools(response, message, `[{"name":"t${pages}"}],"nextCursor":"page-${pages}","rest":${rest}`);
    };
  }),
  ofLists('an event stream of short lines', { full: 8 * mebibyte, short }, (size) => {
    const text = Buffer.alloc(size, 'x\n');
    return (_, response) => sendEvents(response, text);
  }),
  ofLists('an event stream of newlines with one carriage return', { full: 8 * mebibyte, short }, (size) => {
    const text = Buffer.alloc(size, '\n');
    text[0] = '\r'.charCodeAt(0);
    return (_, response) => sendEvents(response, text);
  }),
  ofLists('an event stream of one line without an end', { full: 30 * mebibyte, short }, (size) => {
    const text = Buffer.alloc(size, 'data: x');
    return (_, response) => sendEvents(response, text);
  }),
  ofLists('an event stream of empty events', { full: 8 * mebibyte, short }, (size) => {
    const text = Buffer.alloc(size, 'data:\n\n');
    return (_, response) => sendEvents(response, text);
  }),
  ofLists('a list of nested lists', { full: 4 * mebibyte, short }, (size) => {
    const depth = size / 2;
    const tools = `[{"name":"a","x":${'['.repeat(depth)}${']'.repeat(depth)}}]`;
    return (message, response) => sendTools(response, message, tools);
  }),
  ofLists('an error with a long message', { full: 16 * mebibyte, short }, (size) => (message, response) => {
    const error = { code: -1, message: 'x'.repeat(size) };
    sendText(response, JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
  }),
  {
    ...ofLists('a status with a long body', { full: 30 * mebibyte, short }, (size) => (_, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(Buffer.alloc(size, 'x'));
    }),
    // In the tests the attacks before it may have had the target left out for up to a minute.
    trace: { ...targetAsked('default/hostile-1', 'target does not answer'), only: 'bench' },
  },
];

let pages = 0;

/** @param make called once with the size; answers `tools/list` */
function ofLists(name: string, amount: Attack['amount'], make: (size: number) => AnswerRequest): Attack {
  return {
    name,
    row: 3,
    program: 'gateway',
    amount,
    seconds: 20,
    trace: targetAsked('default/hostile-1', 'target does not answer'),
    async start(victim: Victim, size): Promise<StopAttack> {
      const answerList = make(size);
      return startHostileTarget(victim, 1, {
        answer(message, response) {
          if (message.method === 'tools/list') answerList(message, response);
          else sendResult(response, message, emptyList);
        },
      });
    },
  };
}

/** @param tools JSON */
function sendTools(response: ServerResponse, { id }: TargetMessage, tools: string): void {
  sendText(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":${tools}}}`);
}

function sendEvents(response: ServerResponse, text: Buffer): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
}
