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

/**
 * Serves one client over the stdio transport, one message a line, until its input ends or the returned function is
 * called. Ignores lines that are no messages, or too large for one. Not by the SDK's transport, which would parse and
 * write messages anew.
 */
export function serveStdio(multiplexer: Multiplexer, input: Readable, output: Writable): Stop {
  // The stdio transport has no headers, and therefore no tokens.
  const caller: Caller = { kind: 'anonymous', reason: 'stdio' };
  const stream: ClientStream = {
    reader: caller,
    send(message) {
      const pieces = encodePieces(message);
      for (const piece of pieces.slice(0, -1)) output.write(piece);
      output.write(`${pieces.at(-1)}\n`);
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
    input.off('data', read);
    input.off('end', stop);
    input.pause();
    void session.close();
  };
  input.on('data', read);
  input.once('end', stop);
  // Errors of either stream mean that the client is gone; without a listener they would end the process.
  input.on('error', stop);
  output.on('error', stop);
  return stop;
}

function messageIn(line: string): Message | undefined {
  const json = measureJson(line, bounds).kind === 'within' ? parseJson(line) : undefined;
  if (json === undefined || rememberText(json.value, line) !== undefined) return undefined;
  return decodeMessage(json.value);
}
