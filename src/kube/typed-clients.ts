import {
  type Configuration,
  createConfiguration,
  type HttpMethod,
  type RequestContext,
  ResponseContext,
  SelfDecodingBody,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import type { Answer } from './exchange.ts';
import type { ApiRequest } from './model.ts';

/** Lets client-node's typed clients ask through us; without it they open a TLS connection for every request. */
export function configurationFor(server: URL, send: (request: ApiRequest) => Promise<Answer>): Configuration {
  return createConfiguration({
    baseServer: new ServerConfiguration(server.origin, {}),
    httpApi: wrapHttpLibrary({
      send: async (context) => {
        const { status, headers, body } = await send(requestOf(context));
        const bytes: Uint8Array[] = [];
        for await (const chunk of body) bytes.push(chunk);
        return new ResponseContext(status, headers, new SelfDecodingBody(Promise.resolve(Buffer.concat(bytes))));
      },
    }),
  });
}

function requestOf(context: RequestContext): ApiRequest {
  const { pathname, search } = new URL(context.getUrl());
  const [body, signal] = [context.getBody(), context.getSignal()];
  return {
    method: methodOf(context.getHttpMethod()),
    path: pathname + search,
    headers: context.getHeaders(),
    ...(body === undefined ? {} : { body: textOf(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function methodOf(method: HttpMethod): ApiRequest['method'] {
  switch (method) {
    case 'GET':
    case 'POST':
    case 'PUT':
    case 'PATCH':
    case 'DELETE':
      return method;
    default:
      throw new Error(`the API server is never asked with ${method}`);
  }
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  throw new Error('the API server is asked with JSON only');
}
