import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { Stop } from '../../edges.ts';
import type { Caller } from '../model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { createSession } from './session.ts';

/** There is no header in which a token could travel. */
const caller: Caller = { kind: 'anonymous', why: 'stdio' };

/** Serves one client that sends a message per line, until its input ends or it is stopped. */
export function serveStdio(multiplexer: Multiplexer, input: Readable, output: Writable): Stop {
  const transport = new StdioServerTransport(input, output);
  const session = createSession({ multiplexer, send: (message) => transport.send(message) });
  transport.onmessage = (message) => session.receive(message, caller);
  transport.onclose = () => void session.close();
  void transport.start();
  return () => void transport.close();
}
