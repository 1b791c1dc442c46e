import { type CrdRow, rows, type Verdict } from './crd-row.ts';

/** Rows of `spec.jwt` of an MCPAuthPolicy. */

type Line = readonly [title: string, yaml: string];

const key = (kid: string): string =>
  `{"kty":"OKP","kid":"${kid}","crv":"Ed25519","x":"d_t7nAu2sG2EB2emi8kwd1nNk-ytjjciz6GJrz1o_HE"}`;
const KEYS = `{inline: '${key('a')}'}`;
const PROVIDER = `{issuer: me, audiences: [me.com], jwks: ${KEYS}}`;
const URI = 'https://issuer.example/jwks';

const lines =
  (around: string) =>
  (verdict: Verdict, ...titled: Line[]): readonly CrdRow[] =>
    rows(verdict, 'MCPAuthPolicy', `{targetRefs: [{name: g}], jwt: ${around}}`, titled);

const jwt = lines('HERE');
const provider = lines('{providers: [HERE]}');
const keys = lines('{providers: [{issuer: me, audiences: [me.com], jwks: HERE}]}');
const metadata = lines(`{providers: [${PROVIDER}], resourceMetadata: HERE}`);

const several = (count: number): string =>
  Array.from({ length: count }, (_, n) => `{issuer: me, audiences: [a], jwks: {inline: '${key(`k${n}`)}'}}`).join(', ');
const times = (count: number, yaml: string): string => Array(count).fill(yaml).join(', ');
const text = (length: number): string => '😀'.repeat(length);
/** A URL of that many characters. */
const url = (length: number): string => `https://a/${'x'.repeat(length - 10)}`;

/** The limits, on both sides of their edges, and what no schema sees: the keys in a text. */
export const jwtRows: readonly CrdRow[] = [
  ...jwt(
    'taken',
    ['jwt with one provider and without rules', `{providers: [${PROVIDER}]}`],
    ['jwt with 8 providers', `{providers: [${several(8)}]}`],
  ),
  ...jwt(
    'refused',
    ['jwt that is a list', '[]'],
    ['jwt that is a string', 'me'],
    ['jwt without providers', '{}'],
    ['jwt with empty providers', '{providers: []}'],
    ['jwt with providers that are one mapping', `{providers: ${PROVIDER}}`],
    ['jwt with 9 providers', `{providers: [${several(9)}]}`],
    [
      'resourceMetadata beside two providers',
      `{providers: [${several(2)}], resourceMetadata: {resource: "${URI}", authorizationServers: ["${URI}"]}}`,
    ],
  ),
  ...jwt(
    'refused by the decoder alone',
    ['jwt with an unknown field', `{providers: [${PROVIDER}], mode: STRICT}`],
    ['jwt with resourceMetadata that is null', `{providers: [${PROVIDER}], resourceMetadata: null}`],
  ),
  ...provider(
    'taken',
    ['a provider without audiences', `{issuer: me, jwks: ${KEYS}}`],
    ['a provider with empty audiences', `{issuer: me, audiences: [], jwks: ${KEYS}}`],
    ['a provider with 16 audiences', `{issuer: me, audiences: [${times(16, 'a')}], jwks: ${KEYS}}`],
    [
      'an issuer and an audience of 1024 characters',
      `{issuer: "${text(1024)}", audiences: ["${text(1024)}"], jwks: ${KEYS}}`,
    ],
    ['an issuer that is a URL', `{issuer: "https://issuer.example/realms/a b", jwks: ${KEYS}}`],
  ),
  ...provider(
    'refused',
    ['a provider that is a string', 'me'],
    ['a provider without an issuer', `{jwks: ${KEYS}}`],
    ['a provider with an empty issuer', `{issuer: "", jwks: ${KEYS}}`],
    ['a provider with an issuer that is a number', `{issuer: 5, jwks: ${KEYS}}`],
    ['a provider with an issuer that is a list', `{issuer: [me], jwks: ${KEYS}}`],
    ['an issuer with a NUL', `{issuer: "m\\0e", jwks: ${KEYS}}`],
    ['an issuer with a line break at the end', `{issuer: "me\\n", jwks: ${KEYS}}`],
    ['an issuer with a C1 control character', `{issuer: "me\\x85", jwks: ${KEYS}}`],
    ['an issuer of 1025 characters', `{issuer: "${text(1025)}", jwks: ${KEYS}}`],
    ['audiences that are a string', `{issuer: me, audiences: me.com, jwks: ${KEYS}}`],
    ['an empty audience', `{issuer: me, audiences: [""], jwks: ${KEYS}}`],
    ['an audience that is a number', `{issuer: me, audiences: [5], jwks: ${KEYS}}`],
    ['an audience with a tab', `{issuer: me, audiences: ["a\\tb"], jwks: ${KEYS}}`],
    ['an audience of 1025 characters', `{issuer: me, audiences: ["${text(1025)}"], jwks: ${KEYS}}`],
    ['17 audiences', `{issuer: me, audiences: [${times(17, 'a')}], jwks: ${KEYS}}`],
    ['a provider without jwks', '{issuer: me}'],
  ),
  ...provider(
    'refused by the decoder alone',
    ['a provider with an unknown field', `{issuer: me, audience: me.com, jwks: ${KEYS}}`],
    ['a provider with audiences that are null', `{issuer: me, audiences: null, jwks: ${KEYS}}`],
  ),
  ...keys(
    'taken',
    ['a single key', KEYS],
    ['a set of two keys', `{inline: '{"keys":[${key('a')},${key('b')}]}'}`],
    ['a uri', `{uri: "${URI}"}`],
    ['a uri of http, which needs a flag', '{uri: "http://issuer.example:8080/jwks?a=b&c"}'],
    ['a uri with an IPv6 address', '{uri: "https://[2001:db8::1]:8443/"}'],
    ['a uri without a path', '{uri: "https://issuer.example"}'],
    ['a uri of 1024 characters', `{uri: "${url(1024)}"}`],
  ),
  ...keys(
    'refused',
    ['jwks that are a string', "'{}'"],
    ['jwks that are a list', '[]'],
    ['jwks without inline and uri', '{}'],
    ['jwks with inline and uri', `{inline: '${key('a')}', uri: "${URI}"}`],
    ['inline that is a mapping', '{inline: {keys: []}}'],
    ['an empty inline', '{inline: ""}'],
    ['inline of 131,073 characters', `{inline: "${' '.repeat(131_073)}"}`],
    ['an empty uri', '{uri: ""}'],
    ['a uri of another scheme', '{uri: "file:///etc/passwd"}'],
    ['a uri without a host', '{uri: "https:///jwks"}'],
    ['a uri with a user name', '{uri: "https://me:secret@issuer.example/jwks"}'],
    ['a uri with a fragment', '{uri: "https://issuer.example/jwks#a"}'],
    ['a uri with a space', '{uri: "https://issuer.example/a b"}'],
    ['a uri with a backslash', '{uri: "https://issuer.example\\\\a"}'],
    ['a uri with a line break at the end', '{uri: "https://issuer.example/\\n"}'],
    ['a uri with a letter beyond ASCII', '{uri: "https://issuér.example/"}'],
    ['a uri of 1025 characters', `{uri: "${url(1025)}"}`],
  ),
  ...keys(
    'refused by the decoder alone',
    ['jwks with an unknown field', `{uri: "${URI}", url: "${URI}"}`],
    ['jwks with a uri that is null', `{inline: '${key('a')}', uri: null}`],
  ),
  ...keys(
    'refused for its keys by the decoder',
    ['a text that is no JSON', '{inline: "<html>"}'],
    ['a JSON text that is no set', '{inline: "[]"}'],
    ['a set without keys', `{inline: '{"keys":[]}'}`],
    ['a key without an id', `{inline: '${key('a').replace('"kid":"a",', '')}'}`],
    ['a private key', `{inline: '${key('a').replace('}', ',"d":"AA"}')}'}`],
    ['a shared secret', `{inline: '{"kty":"oct","kid":"a","k":"AA"}'}`],
    ['10,000 keys', `{inline: '{"keys":[${'5,'.repeat(9_999)}5]}'}`],
    ['a uri whose port no URL has', '{uri: "https://issuer.example:99999/"}'],
  ),
  ...metadata(
    'taken',
    ['resourceMetadata without scopes', `{resource: "${URI}", authorizationServers: ["${URI}"]}`],
    [
      'resourceMetadata with 16 servers and 64 scopes',
      `{resource: "${URI}", authorizationServers: [${times(16, `"${URI}"`)}], scopesSupported: [${times(64, '"mcp:tools/*"')}]}`,
    ],
  ),
  ...metadata(
    'refused',
    ['resourceMetadata that is a string', 'x'],
    ['resourceMetadata without a resource', `{authorizationServers: ["${URI}"]}`],
    ['a resource that is no URL', `{resource: mcp, authorizationServers: ["${URI}"]}`],
    ['resourceMetadata without servers', `{resource: "${URI}"}`],
    ['an empty list of servers', `{resource: "${URI}", authorizationServers: []}`],
    ['17 servers', `{resource: "${URI}", authorizationServers: [${times(17, `"${URI}"`)}]}`],
    ['a server that is no URL', `{resource: "${URI}", authorizationServers: [me]}`],
    ['an empty scope', `{resource: "${URI}", authorizationServers: ["${URI}"], scopesSupported: [""]}`],
    ['a scope with a space', `{resource: "${URI}", authorizationServers: ["${URI}"], scopesSupported: ["a b"]}`],
    [
      'a scope of 257 characters',
      `{resource: "${URI}", authorizationServers: ["${URI}"], scopesSupported: [${'s'.repeat(257)}]}`,
    ],
    ['65 scopes', `{resource: "${URI}", authorizationServers: ["${URI}"], scopesSupported: [${times(65, 's')}]}`],
  ),
  ...metadata('refused by the decoder alone', [
    'resourceMetadata with an unknown field',
    `{resource: "${URI}", authorizationServers: ["${URI}"], scopes: [a]}`,
  ]),
];
