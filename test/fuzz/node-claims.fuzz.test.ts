import { describe, expect } from 'vitest';
import { isJsonObject, parseJson } from '../../src/json/json.ts';
import { accountOf } from '../../src/serve/auth/client-certificate.ts';
import { accountOfUser, type ServiceAccount } from '../../src/serve/auth/identity.ts';
import { readToken } from '../../src/serve/auth/token-claims.ts';
import { identify, readAuthority, readHostName, readRole } from '../../src/serve/node/identification.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

const clusterDomain = 'cluster.local';
const gatewayName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const longestMessage = 700;

describe('what a node says of itself', () => {
  fuzz('names a Gateway that can exist, or is refused with a short message', {
    corpus: new URL('./corpus/node-claims/', import.meta.url),
    dictionary: [
      '"alt_xds_hostname":"gw.default"',
      '"role":"default~gw"',
      '"GATEWAY_NAME":"gw"',
      '"NAMESPACE":"default"',
      '"__proto__":{',
      '.svc.cluster.local',
      '~',
      '.',
      '-',
      '\xc3\xa4',
    ],
    run(input) {
      const json = parseJson(input.toString())?.value;
      const { metadata, header, authority } = isJsonObject(json) ? json : {};
      const claims = {
        metadata: isJsonObject(metadata) ? metadata : undefined,
        header: (Array.isArray(header) ? header : []).filter((value) => typeof value === 'string'),
        authority: typeof authority === 'string' ? authority : undefined,
      };
      for (const authenticated of [true, false]) {
        const found = identify(claims, { clusterDomain, exists: () => true, authenticated });
        if (found.kind === 'gateway') expect(found.gateway).toMatch(gatewayName);
        else expect(found.message.length).toBeLessThanOrEqual(longestMessage);
        if (authenticated && found.kind === 'gateway') expect(found.by).not.toBe(':authority');
      }
    },
  });
});

describe('a name of a node', () => {
  fuzz('in a host name, a role, a certificate, a user name or a header is read as it is written', {
    corpus: new URL('./corpus/node-names/', import.meta.url),
    dictionary: [
      'URI:spiffe://cluster.local/ns/',
      '/sa/',
      'DNS:',
      ', ',
      'system:serviceaccount:',
      'Bearer ',
      '.e30.',
      '.svc.cluster.local',
      '~',
      ':80',
      '"',
      '\n',
      '\x00',
      '\xff',
    ],
    run(input) {
      const text = input.toString('latin1');
      for (const reading of [readHostName(text, clusterDomain), readAuthority(text, clusterDomain), readRole(text)]) {
        if (reading.kind === 'gateway') expect(reading.gateway).toMatch(gatewayName);
        else expect(reading.problem.length).toBeLessThanOrEqual(longestMessage);
      }
      const proven = accountOf(text, clusterDomain);
      if (typeof proven === 'string') expect(proven.length).toBeLessThanOrEqual(longestMessage);
      else expect(spelledIn(text, proven)).toBe(true);
      const user = accountOfUser(text);
      if (user !== undefined) expect(text).toBe(`system:serviceaccount:${user.namespace}:${user.name}`);
      const token = readToken([text]);
      if (token.kind === 'token') {
        expect(text).toContain(token.token);
        expect(token.token).toMatch(/^[\x21-\x7e]{1,8192}$/);
        expect(token.expires).toBeGreaterThanOrEqual(0);
        expect(new Date(token.expires).getUTCFullYear()).toBeLessThanOrEqual(9999);
      }
      if (token.kind === 'unusable') expect(token.problem.length).toBeLessThanOrEqual(200);
    },
  });
});

/** A certificate that proves a ServiceAccount says its name in one of two ways. */
function spelledIn(names: string, { namespace, name }: ServiceAccount): boolean {
  const entries = names.split(', ');
  return (
    entries.includes(`URI:spiffe://${clusterDomain}/ns/${namespace}/sa/${name}`) ||
    entries.includes(`DNS:${name}.${namespace}`)
  );
}
