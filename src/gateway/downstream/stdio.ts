import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Stop } from '../../edges.ts';
import { measureJson } from '../../json/bounded-json.ts';
import { parseJson } from '../../json/json.ts';
import type { Caller } from '../model.ts';
import { decodeMessage } from '../rpc/decode-message.ts';
import type { Message } from '../rpc/model.ts';
import { maxDepth } from '../rpc/protocol.ts';
import { encodePieces, rememberText } from '../rpc/source-text.ts';
import type { ClientStream } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';

/** Characters of a line, and the structure of its JSON: those of the largest message of a target. */
const maxLine = 32 * 1024 * 1024;
const bounds = { maxValues: 200_000, maxDepth };

/** Bytes that the client has not taken: those of one caller of event streams. */
const maxUnread = 48 * 1024 * 1024;

/** Bytes that a piece takes in the queue of the output beside its own. */
const pieceOverhead = 256;

/** Why a client is served no more: it ended its input, or the output; or it does not read. */
export type StdioEnd = 'gone' | 'too much unread';

/**
 * Serves one client over the stdio transport, one message a line, until its input ends, it leaves too much of the output
 * unread, or the returned function is called. Ignores lines that are no messages, or too large for one. Not by the SDK's
 * transport, which would parse and write messages anew.
 *
 * @param ended called once, but not by the returned function
 */
export function serveStdio(
  multiplexer: Pick<Multiplexer, 'open'>,
  input: Readable,
  output: Writable,
  ended: (reason: StdioEnd, unread: number) => void,
): Stop {
  // The stdio transport has no headers, and therefore no tokens.
  const caller: Caller = { kind: 'anonymous', reason: 'stdio' };
  let isServed = true;
  let unread = 0;
  const write = (piece: string): void => {
    const cost = Buffer.byteLength(piece) + pieceOverhead;
    unread += cost;
    output.write(piece, () => {
      unread -= cost;
    });
  };
  const stream: ClientStream = {
    reader: caller,
    send(message) {
      if (unread > maxUnread) return;
      const pieces = encodePieces(message);
      for (const piece of pieces.slice(0, -1)) write(piece);
      write(`${pieces.at(-1)}\n`);
      if (unread > maxUnread) end('too much unread');
    },
  };
  const session = multiplexer.open({ stream: () => stream });
  const receiveLine = (line: string): void => {
    const message = messageIn(line);
    if (message !== undefined) session.receive(message, { ...stream, caller, settled: () => {} });
  };

  const decoder = new StringDecoder('utf8');
  /** The line that has no end yet; `undefined` once it is too long. */
  let rest: string | undefined = '';
  const append = (text: string): void => {
    rest = rest === undefined || rest.length + text.length > maxLine ? undefined : rest + text;
  };
  const read = (chunk: Buffer): void => {
    const [head = '', ...lines] = decoder.write(chunk).split('\n');
    append(head);
    for (const line of lines) {
      if (rest !== undefined) receiveLine(rest);
      rest = '';
      append(line);
    }
  };
  const stop = (): void => {
    isServed = false;
    input.off('data', read);
    input.pause();
    void session.close();
  };
  const end = (reason: StdioEnd): void => {
    if (!isServed) return;
    stop();
    ended(reason, unread);
  };
  const leave = (): void => end('gone');
  input.on('data', read);
  input.once('end', leave);
  // Errors of either stream mean that the client is gone; without a listener they would end the process.
  input.on('error', leave);
  output.on('error', leave);
  return stop;
}

function messageIn(line: string): Message | undefined {
  const json = measureJson(line, bounds).kind === 'within' ? parseJson(line) : undefined;
  if (json === undefined || rememberText(json.value, line) !== undefined) return undefined;
  return decodeMessage(json.value);
}
