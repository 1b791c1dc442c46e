import { quoted } from '../../json/quoted.ts';
import { readPublicKeys } from '../../jwk/public-keys.ts';
import { type Decoder, firstInvalid, ok, optional, refine, unwrapOptional, withDefault } from '../decode/decoder.ts';
import { isPlain } from '../decode/formats.ts';
import { allValidList, list } from '../decode/list.ts';
import { allValid, strictMapping } from '../decode/mapping.ts';
import { pathText } from '../decode/reporter.ts';
import { longerThan, type TextRule, text } from '../decode/scalars.ts';
import type { JwksSource, Parsed, PolicyJwt, PolicyJwtProvider, ResourceMetadata } from '../model.ts';

/** The most providers of a policy. More are not fetched from, so that a policy costs the issuers this much. */
const mostProviders = 8;

/** The limit of the CRD, in characters: 100 keys with certificates have fewer. */
const longestKeys = 131_072;

const issuerRule: TextRule = {
  expected: 'the issuer as tokens have it in "iss" (1 to 1024 characters, no control characters)',
  test: isName,
};

const audienceRule: TextRule = {
  expected: 'an audience as tokens have it in "aud" (1 to 1024 characters, no control characters)',
  test: isName,
};

const scopeRule: TextRule = {
  expected: 'a scope (1 to 256 printable ASCII characters without blanks, quotation marks and backslashes)',
  test: (value) => value.length <= 256 && /^[!#-[\]-~]+$/.test(value),
};

const keysRule: TextRule = {
  expected: `a JWK Set as JSON text of at most ${longestKeys} characters`,
  test: (value) => !longerThan(longestKeys, value),
  hidden: true,
};

/** An absolute URL in its spelling on the wire: a user name would be a secret in a place that many may read. */
const urlRule: TextRule = {
  expected: 'an https:// URL of at most 1024 ASCII characters, without user name and fragment',
  test: (value) =>
    value.length <= 1024 &&
    /^https?:\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[!"$-[\]-~]*)?$/.test(value) &&
    URL.canParse(value),
};

function isName(value: string): boolean {
  return value !== '' && !longerThan(1024, value) && isPlain(value);
}

/** Reads the keys at once, so that each one that is left out is reported at its place. */
const inlineKeys: Decoder<JwksSource> = refine(text(keysRule), (value, path, reporter): Parsed<JwksSource> => {
  const read = readPublicKeys(value);
  if (read.kind === 'unreadable') return reporter.error(path, `cannot be used: ${read.reason}.`);
  const dropped = read.dropped.map((key) => reporter.error(path, `has ${key}; it is left out.`).reason);
  if (read.keys.length === 0 && dropped.length === 0)
    reporter.error(path, 'has no key, so that nobody can sign tokens.');
  return ok({ kind: 'inline', keys: read.keys, dropped });
});

const keysUri: Decoder<JwksSource> = refine(text(urlRule), (uri, path, reporter) => {
  if (uri.startsWith('http:'))
    reporter.warning(
      path,
      'is http, where keys can be replaced on the way, and is fetched only with --allow-http-jwks.',
    );
  return ok({ kind: 'uri', uri });
});

const jwksBlock = strictMapping({ inline: optional(inlineKeys), uri: optional(keysUri) });

const jwks: Decoder<JwksSource> = (value, path, reporter): Parsed<JwksSource> => {
  const parsed = jwksBlock(value, path, reporter);
  if (!parsed.ok) return parsed;
  const { fields, unknown, has } = parsed.value;
  if (has('inline') && has('uri')) return reporter.error(path, 'has both inline and uri: remove one of them.');
  const source = unwrapOptional(fields.inline) ?? unwrapOptional(fields.uri);
  if (source === undefined) return reporter.error(path, 'has no keys: write them as inline, or their URL as uri.');
  return unknown[0] ?? firstInvalid([fields.inline, fields.uri]) ?? source;
};

/** An invalid audience makes the provider invalid: without it, tokens for other services might be accepted. */
const provider: Decoder<PolicyJwtProvider> = refine(
  allValid(
    strictMapping({
      issuer: text(issuerRule),
      audiences: withDefault(allValidList(text(audienceRule), { most: 16 }), []),
      jwks,
    }),
  ),
  (value, path, reporter) => {
    if (value.audiences.length === 0)
      reporter.warning(
        [...path, 'audiences'],
        'has no entry, so that tokens for any audience are accepted, also those issued for other services: write yours.',
      );
    return ok(value);
  },
);

const resourceMetadata: Decoder<ResourceMetadata> = allValid(
  strictMapping({
    resource: text(urlRule),
    authorizationServers: allValidList(text(urlRule), { least: 1, most: 16 }),
    scopesSupported: withDefault(allValidList(text(scopeRule), { most: 64 }), []),
  }),
);

const providers: Decoder<readonly Parsed<PolicyJwtProvider>[]> = refine(
  list(provider, { most: mostProviders }),
  (entries, path, reporter) => {
    if (entries.length === 0) return reporter.error(path, 'is empty, so that nobody may sign tokens: write an issuer.');
    const firstOfId = new Map<string, number>();
    for (const [position, entry] of entries.entries()) {
      const jwks = entry.ok ? entry.value.jwks : undefined;
      for (const { kid } of jwks?.kind === 'inline' ? jwks.keys : []) {
        const first = firstOfId.get(kid);
        if (first === undefined) firstOfId.set(kid, position);
        else reporter.error([...path, position, 'jwks'], sharedId(kid, `${pathText(path)}[${first}]`));
      }
    }
    return ok(entries.slice(0, mostProviders));
  },
);

/** The translation leaves the later key out: it knows the fetched ones too. */
function sharedId(kid: string, first: string): string {
  return `has the key ${quoted(kid)}, whose id ${first} has too: only the first counts.`;
}

const block = strictMapping({
  providers,
  resourceMetadata: optional(resourceMetadata),
});

/**
 * Decodes `spec.jwt`. It only adds signers: an unknown field could narrow who they are, so it makes all of it invalid, and
 * an invalid one still is the Gateway's (`translate/policy/jwt.ts`).
 */
export const policyJwt: Decoder<PolicyJwt> = (value, path, reporter): Parsed<PolicyJwt> => {
  const parsed = block(value, path, reporter);
  if (!parsed.ok) return parsed;
  const { fields, unknown } = parsed.value;
  if (unknown[0] !== undefined) return unknown[0];
  if (!fields.providers.ok) return fields.providers;
  const entries = fields.providers.value;
  const metadata = unwrapOptional(fields.resourceMetadata);
  if (metadata?.ok === true && entries.length !== 1) {
    const detail =
      'goes with one provider only, since agentgateway takes no more with it: remove it, or the other ones.';
    return ok({ providers: entries, resourceMetadata: reporter.error([...path, 'resourceMetadata'], detail) });
  }
  return ok({ providers: entries, resourceMetadata: metadata });
};
