import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../model.ts';

/** One of the ways in which clients speak MCP over HTTP, at its own path. */
export interface HttpTransport {
  /** The methods it answers. */
  readonly methods: readonly string[];
  /** Answers a request of an authenticated caller. */
  serve(request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void>;
  /** Closes every session; settles when the targets are told. */
  stop(): Promise<void>;
}
