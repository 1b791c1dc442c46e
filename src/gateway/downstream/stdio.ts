import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { Stop } from '../../edges.ts';
import type { Caller } from '../model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';

/** The stdio transport has no headers, and therefore no tokens. */
const caller: Caller = { kind: 'anonymous', reason: 'stdio' };

/** Serves one client over the stdio transport, until its input ends or the returned function is called. */
export function serveStdio(multiplexer: Multiplexer, input: Readable, output: Writable): Stop {
  const transport = new StdioServerTransport(input, output);
  const session = multiplexer.open({ send: (message) => transport.send(message) });
  transport.onmessage = (message) => session.receive(message, caller);
  transport.onclose = () => void session.close();
  void transport.start();
  return () => void transport.close();
}
