import type { ServerResponse } from 'node:http';

/** The parts of a request that a fault may depend on. */
export interface ReceivedRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly verb: 'get' | 'list' | 'watch';
}

/** A fault of an API server. */
export type Fault =
  | {
      readonly does: 'answer';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** An HTML page, as of a proxy. */
  | { readonly does: 'html'; readonly status: number }
  /** Resets the connection. */
  | { readonly does: 'reset' }
  /** Sends nothing. */
  | { readonly does: 'hang' }
  /** Sends this text as JSON, then ends the response, resets the connection, or sends nothing more. */
  | { readonly does: 'say'; readonly text: string; readonly next: 'end' | 'break' | 'hang' };

/** Responds with the fault. */
export function respondWithFault(response: ServerResponse, fault: Fault): void {
  switch (fault.does) {
    case 'answer': {
      const { status, message = 'on purpose', headers = {} } = fault;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status }));
      return;
    }
    case 'html':
      response.writeHead(fault.status, { 'content-type': 'text/html' });
      response.end('<html><body>Bad things happen to good proxies</body></html>');
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'say':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(fault.text, () => {
        if (fault.next === 'end') response.end();
        if (fault.next === 'break') response.socket?.resetAndDestroy();
      });
  }
}
