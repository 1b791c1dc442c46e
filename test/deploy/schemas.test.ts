import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const ajv = new Ajv2020({ strictTypes: false });
const schemaOf = (kind: string) =>
  ajv.compile(JSON.parse(readFileSync(`deploy/schemas/${kind.toLowerCase()}.schema.json`, 'utf8')));
const policy = parse(readFileSync('deploy/examples/guide/6-mcpauthpolicy.yaml', 'utf8'));

/** The schemas for editors, which `npm run generate:schemas` makes of the CRDs. */
describe('the JSON Schema of an MCPAuthPolicy', () => {
  const isValid = schemaOf('MCPAuthPolicy');

  it('accepts the policies of the examples', () => {
    expect(isValid(policy)).toBe(true);
    expect(isValid(parse(readFileSync('deploy/examples/agentgateway/5-mcpauthpolicy.yaml', 'utf8')))).toBe(true);
  });

  it('refuses a misspelt field, another kind and another version', () => {
    const [rule] = policy.spec.rules;
    expect(isValid({ ...policy, spec: { ...policy.spec, rules: [{ ...rule, match: [] }] } })).toBe(false);
    expect(isValid({ ...policy, kind: 'MCPAuthPolicies' })).toBe(false);
    expect(isValid({ ...policy, apiVersion: 'gateway.kgateway.dev/v1' })).toBe(false);
  });
});

describe('the JSON Schema of GatewayParameters', () => {
  const isValid = schemaOf('GatewayParameters');

  it('accepts those of the guide, and fields that only other controllers define', () => {
    const parameters = parse(readFileSync('deploy/examples/guide/1-gatewayparameters.yaml', 'utf8'));
    expect(isValid(parameters)).toBe(true);
    expect(isValid({ ...parameters, spec: { kube: { deployment: { replicas: 2 } } } })).toBe(true);
    expect(isValid({ ...parameters, spec: { selfmanaged: {} } })).toBe(false);
  });
});
