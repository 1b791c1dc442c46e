import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { Stop } from '../../edges.ts';
import { encodeMessage } from '../rpc/source-text.ts';
import type { ClientStream } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';

/** Serves one client over the stdio transport, until its input ends or the returned function is called. */
export function serveStdio(multiplexer: Multiplexer, input: Readable, output: Writable): Stop {
  const transport = new StdioServerTransport(input, output);
  const stream: ClientStream = {
    // The stdio transport has no headers, and therefore no tokens.
    caller: { kind: 'anonymous', reason: 'stdio' },
    send: (message) => void output.write(`${encodeMessage(message)}\n`),
  };
  const session = multiplexer.open({ stream: () => stream });
  transport.onmessage = (message) => session.receive(message, { ...stream, settled: () => {} });
  transport.onclose = () => void session.close();
  void transport.start();
  return () => void transport.close();
}
