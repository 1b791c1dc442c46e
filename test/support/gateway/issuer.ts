import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** An issuer of tokens with its key pair. */
export interface Issuer {
  readonly jwk: JWK;
  readonly privateJwk: JWK;
  /** Signs the claims as given. The header contains the issuer's key id, or the given one; `null` for none. */
  sign(claims: JWTPayload, header?: { readonly kid: string | null }): Promise<string>;
  /** Signs a payload as it is written, such as one with a number that JavaScript cannot write. */
  signText(payload: string): Promise<string>;
}

/** Generates a key pair. Without `kid`, neither the key nor its tokens have a key id. */
export async function createIssuer(alg = 'ES256', kid?: string): Promise<Issuer> {
  const { publicKey, privateKey }: { publicKey: CryptoKey; privateKey: CryptoKey } = await generateKeyPair(alg, {
    extractable: true,
  });
  const named = kid === undefined ? {} : { kid };
  return {
    jwk: { ...(await exportJWK(publicKey)), ...named },
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    signText: (payload) =>
      new CompactSign(Buffer.from(payload))
        .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
        .sign(privateKey),
    sign: (claims, header) => {
      const id = header === undefined ? kid : header.kid;
      return new SignJWT(claims).setProtectedHeader(id == null ? { alg } : { alg, kid: id }).sign(privateKey);
    },
  };
}
