import type { ServerResponse } from 'node:http';

/** What a request asks for, as far as a fault may depend on it. */
export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly verb: 'get' | 'list' | 'watch';
}

/** How a server may treat a request otherwise than it should. */
export type Fault =
  | {
      readonly does: 'answer';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The page of a proxy. */
  | { readonly does: 'html'; readonly status: number }
  /** As if nobody listened. */
  | { readonly does: 'reset' }
  /** Neither answers nor ends. */
  | { readonly does: 'hang' }
  /** Begins with this text as JSON, then ends properly, or breaks the connection, or says nothing more. */
  | { readonly does: 'say'; readonly text: string; readonly next: 'end' | 'break' | 'hang' };

/** Does it. */
export function misbehave(response: ServerResponse, fault: Fault): void {
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
