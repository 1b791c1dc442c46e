import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kinds } from '../../src/resources/resources.ts';

/** The fields of a CRD schema that these tests read. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

interface Definition {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

const definitions = ['mcpauthpolicies', 'gatewayparameters'].map(readDefinition);

it('the Helm chart has the same CRDs: `npm run generate:chart` copies them', () => {
  for (const file of ['mcpauthpolicies.yaml', 'gatewayparameters.yaml']) {
    const copy = readFileSync(`deploy/helm/gatehouse/crds/${file}`, 'utf8');
    expect(copy, file).toBe(readFileSync(`deploy/crds/${file}`, 'utf8'));
  }
});

describe.each(definitions)('the CRD of $spec.names.kind', ({ metadata, spec }) => {
  const root = spec.versions[0]?.schema.openAPIV3Schema ?? {};
  const fields = [...fieldsOf(root, '')];

  it('has the kind that the decoders read', () => {
    const kind = Object.values(kinds).find((candidate) => candidate.kind === spec.names.kind);
    expect(kind).toMatchObject({
      plural: spec.names.plural,
      apiVersion: `${spec.group}/${spec.versions.map(({ name }) => name).join()}`,
      namespaced: spec.scope === 'Namespaced',
    });
    expect(metadata.name).toBe(`${spec.names.plural}.${spec.group}`);
  });

  it('describes every field', () => {
    const silent = fields.filter(([path, { description }]) => !description && path !== '.metadata');
    expect(silent.map(([path]) => path)).toEqual([]);
    expect(fields.length).toBeGreaterThan(5);
  });

  it('bounds every text and list, so that its CEL rules have a low cost', () => {
    const unbounded = fields.filter(
      ([path, { type, maxLength, maxItems, enum: words, format }]) =>
        !['.apiVersion', '.kind'].includes(path) &&
        ((type === 'string' && maxLength === undefined && words === undefined && format !== 'date-time') ||
          (type === 'array' && maxItems === undefined)),
    );
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });
});

describe('the CRD of MCPAuthPolicy', () => {
  it('is labelled as a direct policy, as GEP-713 has it', () => {
    expect(definitions[0]?.metadata.labels).toMatchObject({ 'gateway.networking.k8s.io/policy': 'Direct' });
  });
});

function readDefinition(plural: string): Definition {
  return parse(readFileSync(new URL(`../../deploy/crds/${plural}.yaml`, import.meta.url), 'utf8'));
}

function* fieldsOf(schema: Schema, path: string): Generator<readonly [path: string, schema: Schema]> {
  yield [path, schema];
  if (schema.items) yield* fieldsOf(schema.items, `${path}[]`);
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* fieldsOf(field, `${path}.${name}`);
}
