import type { GatewayRig } from '../gateway/gateway-rig.ts';

type Json = Readonly<Record<string, unknown>>;

/** The revision without handshake. */
export const version = '2026-07-28';
/** The name of a member of `_meta`. */
export const key = (name: string): string => `io.modelcontextprotocol/${name}`;

/** A request, with what a test gives it beside what each has. */
export interface Ask {
  readonly token: string;
  readonly method: string;
  readonly params?: Json;
  readonly meta?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a request as a client of this revision does. */
export function ask(
  { url }: GatewayRig,
  { token, method, params = {}, meta = {}, headers = {}, signal }: Ask,
): Promise<Response> {
  const name = params['name'] ?? params['uri'] ?? params['taskId'];
  const named: Record<string, string> = typeof name === 'string' ? { 'mcp-name': name } : {};
  const _meta = { [key('protocolVersion')]: version, [key('clientCapabilities')]: {}, ...meta };
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...named,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'mine', method, params: { ...params, _meta } }),
    ...(signal && { signal }),
  });
}
