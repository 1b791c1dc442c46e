import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

/** An OAuth 2.1 authorization server on loopback, whose only user logs in and consents without being asked. */
export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string;
}

/**
 * Starts oidc-provider: dynamic registration, authorization code with PKCE, and JWT access tokens for one resource.
 *
 * @param resource the only resource that tokens are issued for (RFC 8707)
 * @param subject whose tokens they are
 * @param scopes that clients may ask for, and get
 */
export async function startAuthorizationServer(
  resource: string,
  subject: string,
  scopes = 'mcp:use',
): Promise<AuthorizationServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, configurationFor(resource, subject, scopes));
  const handle = provider.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/')) void consent(provider, { resource, subject }, request, response);
    else void handle(request, response);
  });
  return {
    issuer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configurationFor(resource: string, subject: string, scopes: string): Configuration {
  return {
    clientDefaults: { token_endpoint_auth_method: 'none' },
    cookies: { keys: ['a key of this test'] },
    findAccount: () => ({ accountId: subject, claims: () => ({ sub: subject }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    // With it, clients may register for refresh tokens, as those of users do.
    scopes: [...scopes.split(' '), 'offline_access'],
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_, indicator) {
          if (indicator !== resource) throw new Error(`unknown resource ${indicator}`);
          return { scope: scopes, audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
        },
      },
    },
  };
}

/** Answers the prompts of the authorization endpoint: the login, then the consent. */
async function consent(
  provider: Provider,
  { resource, subject }: { readonly resource: string; readonly subject: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: subject } });
  }
  const grant = new provider.Grant({ accountId: subject, clientId: String(params['client_id']) });
  grant.addOIDCScope(String(params['scope']));
  grant.addResourceScope(resource, String(params['scope']));
  return provider.interactionFinished(
    request,
    response,
    { consent: { grantId: await grant.save() } },
    { mergeWithLastSubmission: true },
  );
}
