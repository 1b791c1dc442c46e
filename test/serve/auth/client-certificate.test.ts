import { describe, expect, it } from 'vitest';
import { accountOf } from '../../../src/serve/auth/client-certificate.ts';

const account = (names: string): string => {
  const read = accountOf(names, 'cluster.local');
  return typeof read === 'string' ? read : `${read.namespace}/${read.name}`;
};

describe('the names of a client certificate', () => {
  it.each([
    ['URI:spiffe://cluster.local/ns/red/sa/gw', 'red/gw'],
    ['URI:spiffe://cluster.local/ns/red/sa/gw.two', 'red/gw.two'],
    ['DNS:gw.example.org, URI:spiffe://cluster.local/ns/red/sa/gw', 'red/gw'],
    ['DNS:gw.red', 'red/gw'],
    ['DNS:gw.two.red, IP Address:10.0.0.1', 'red/gw.two'],
  ])('%s prove %s', (names, name) => {
    expect(account(names)).toBe(name);
  });

  it.each([
    ['', 'neither a SPIFFE id nor a DNS name'],
    ['IP Address:10.0.0.1', 'neither a SPIFFE id nor a DNS name'],
    ['URI:spiffe://cluster.local/ns/red/sa/gw, URI:spiffe://cluster.local/ns/red/sa/x', 'two URIs'],
    ['URI:https://cluster.local/ns/red/sa/gw, DNS:gw.red', 'is not of the form spiffe://cluster.local/ns/'],
    ['URI:spiffe://other/ns/red/sa/gw', 'its trust domain is "other", not cluster.local'],
    ['URI:spiffe://CLUSTER.LOCAL/ns/red/sa/gw', 'its trust domain is'],
    ['URI:spiffe://cluster.local/ns/red/sa/g%77', 'is not of the form'],
    ['URI:spiffe://cluster.local/ns/red/sa/gw/', 'is not of the form'],
    ['URI:spiffe://cluster.local//ns/red/sa/gw', 'is not of the form'],
    ['URI:spiffe://cluster.local/ns/red/sa/gw?x', 'is not of the form'],
    ['URI:spiffe://cluster.local/ns/../sa/gw', 'is not of the form'],
    ['URI:SPIFFE://cluster.local/ns/red/sa/gw', 'is not of the form'],
    ['URI:"spiffe://cluster.local/ns/red/sa/gw\\u002c DNS:x.y"', 'has to be quoted'],
    ['DNS:gw.red, DNS:gw.blue', 'two DNS names'],
    ['DNS:*.red', 'is not of the form <service account>.<namespace>'],
    ['DNS:localhost', 'is not of the form'],
    ['DNS:.red', 'is not of the form'],
    ['DNS:GW.red', 'is not of the form'],
  ])('%s prove nothing', (names, problem) => {
    expect(account(names)).toContain(problem);
  });
});
