import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CompactSign,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';

/** An issuer of tokens with an endpoint for its keys, which a request can make slow. */
export interface SlowIssuer {
  readonly port: number;
  readonly privateKey: JWK;
  token(claims: JWTPayload): Promise<string>;
  close(): void;
}

export const issuerName = 'https://issuer.example';
export const audience = 'mcp-gateway';
const kid = 'bench';
const alg = 'ES256';

export async function startIssuer(): Promise<SlowIssuer> {
  const { publicKey, privateKey }: { publicKey: CryptoKey; privateKey: CryptoKey } = await generateKeyPair(alg, {
    extractable: true,
  });
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig', alg }] });
  const secret: JWK = { ...(await exportJWK(privateKey)), kid, alg };
  let delay = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://issuer');
    if (request.method === 'POST' && url.pathname === '/delay') {
      delay = Number(url.searchParams.get('ms'));
      return void response.end();
    }
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(keys), delay);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    privateKey: secret,
    token: (claims) => signToken(secret, claims),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Signs a token of the bench's issuer, which expires in an hour unless `exp` is among the claims. */
export async function signToken(key: JWK, claims: JWTPayload): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  return new SignJWT({ iss: issuerName, aud: audience, exp, ...claims })
    .setProtectedHeader({ alg, kid })
    .sign(await importJWK(key, alg));
}

/** Signs the text of claims as it is, such as one with numbers that a JSON of JavaScript cannot have. */
export async function signText(key: JWK, claims: string): Promise<string> {
  return new CompactSign(Buffer.from(claims)).setProtectedHeader({ alg, kid }).sign(await importJWK(key, alg));
}
