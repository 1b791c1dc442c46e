import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** Somebody who signs tokens, with the public key that others know them by. */
export interface Issuer {
  readonly jwk: JWK;
  readonly privateJwk: JWK;
  /** Signs the claims exactly as given; the header names the key id unless another, or `null` for none, is given. */
  sign(claims: JWTPayload, header?: { readonly kid: string | null }): Promise<string>;
}

/** Makes a new key pair. Without `kid`, neither the key nor its tokens name one. */
export async function createIssuer(alg = 'ES256', kid?: string): Promise<Issuer> {
  const { publicKey, privateKey }: { publicKey: CryptoKey; privateKey: CryptoKey } = await generateKeyPair(alg, {
    extractable: true,
  });
  const named = kid === undefined ? {} : { kid };
  return {
    jwk: { ...(await exportJWK(publicKey)), ...named },
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    sign: (claims, header) => {
      const id = header === undefined ? kid : header.kid;
      return new SignJWT(claims).setProtectedHeader(id == null ? { alg } : { alg, kid: id }).sign(privateKey);
    },
  };
}
