import { Agent, request } from 'undici';

/** One request to the API server. */
export interface ClusterRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` by default; a PATCH needs the kind of its patch. */
  readonly type?: string;
  readonly token: string;
}

/** A response of any status. */
export interface ClusterAnswer {
  readonly status: number;
  readonly text: string;
  /** The parsed body; undefined if it is not JSON. */
  readonly json: unknown;
}

/** Connections to one API server. */
export interface ClusterRequests {
  readonly send: (path: string, what: ClusterRequest) => Promise<ClusterAnswer>;
  readonly close: () => Promise<void>;
}

/** Connects with the first request. Every connection requires a certificate of `ca`. */
export function createClusterRequests(server: string, ca: string): ClusterRequests {
  // Requests with a body are not safe over HTTP/2 (docs/decisions/0012).
  const dispatcher = new Agent({ connect: { ca }, allowH2: false });
  return {
    send: async (path, { method = 'GET', body, type = 'application/json', token }) => {
      const answer = await request(`${server}${path}`, {
        dispatcher,
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, text, json: parsed(text) };
    },
    close: () => dispatcher.destroy(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
