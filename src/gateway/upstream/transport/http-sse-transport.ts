import { quoted } from '../../../json/quoted.ts';
import type { TargetBody } from '../../model.ts';
import { encodeMessage } from '../../rpc/source-text.ts';
import type { Transport, TransportParts } from '../model.ts';
import { readEvents } from './event-reader.ts';
import { discard, fetchWithinOrigin, HttpStatusError, mediaTypeOf, statusError } from './http-exchange.ts';
import { deliver } from './incoming-stream.ts';

/**
 * The HTTP+SSE transport (MCP 2024-11-05): a GET opens the event stream that carries all messages of the target, whose
 * first event is the URL for POST. The session ends with the stream.
 */
export function createHttpSseTransport(parts: TransportParts): Transport {
  const { url, fetch, events } = parts;
  const closed = new AbortController();
  const endpoint = Promise.withResolvers<URL>();
  // Only `start` and `send` wait for it; the stream may end before either does.
  endpoint.promise.catch(() => {});
  let protocolVersion: string | undefined;

  const headers = (more: Readonly<Record<string, string>>): Record<string, string> =>
    protocolVersion === undefined ? more : { ...more, 'mcp-protocol-version': protocolVersion };

  const setEndpoint = (text: string): void => {
    const found = URL.parse(text, url.href);
    if (found !== null && found.origin === url.origin) endpoint.resolve(found);
    else throw new Error('the event "endpoint" has no URL of the target’s own origin');
  };

  const open = async (): Promise<TargetBody> => {
    const response = await fetchWithinOrigin(fetch, url, {
      method: 'GET',
      headers: headers({ ...parts.headers, accept: 'text/event-stream' }),
      body: null,
      signal: closed.signal,
    });
    if (!response.ok) throw await statusError(response, false);
    const type = mediaTypeOf(response);
    if (response.body !== null && type === 'text/event-stream') return response.body;
    await discard(response);
    const found = `answered with the type ${quoted(type)} and no event stream`;
    throw new HttpStatusError(found, response.status, false);
  };

  const follow = async (body: TargetBody): Promise<void> => {
    let reason = new Error('the target closed the connection');
    try {
      await readEvents(body, parts, {
        event({ type, data }) {
          if (type === 'endpoint') setEndpoint(data.text);
          else if (type === 'message') deliver(data, parts);
          else events.ignored(1);
        },
        ignored: events.ignored,
        pace: events.pace,
      });
    } catch (error) {
      reason = error instanceof Error ? error : new Error(String(error));
    }
    endpoint.reject(reason);
    if (!closed.signal.aborted) events.lost(reason);
  };

  return {
    async start() {
      void follow(await open());
      await endpoint.promise;
    },
    async send(message, options) {
      const response = await fetchWithinOrigin(fetch, await endpoint.promise, {
        method: 'POST',
        headers: headers({ ...(options?.headers ?? parts.headers), 'content-type': 'application/json' }),
        body: encodeMessage(message),
        signal: closed.signal,
      });
      if (!response.ok) throw await statusError(response, true);
      await discard(response);
    },
    setProtocolVersion(version) {
      protocolVersion = version;
    },
    terminate: () => Promise.resolve(),
    close: () => closed.abort(),
  };
}
