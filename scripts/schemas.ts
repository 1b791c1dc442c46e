import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { asJsonObject, isJsonObject, objectsOf } from '../src/json/json.ts';

/**
 * Generates `deploy/schemas/<kind>.schema.json`, the JSON Schemas of manifests for editors, from the CRDs. `--check` writes
 * nothing and fails if a file is stale.
 */
const folder = 'deploy/schemas';
const definitions = ['mcpauthpolicies', 'gatewayparameters'];

/**
 * Turns a schema of a CRD into a JSON Schema. Rules in CEL have no equivalent, and are left out. A field that the schema
 * does not have is refused, as kubectl does: editors then mark a misspelt one.
 */
function jsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(jsonSchema);
  if (!isJsonObject(node)) return node;
  const isClosed = isJsonObject(node['properties']) && node['x-kubernetes-preserve-unknown-fields'] !== true;
  const kept = Object.entries(node).filter(
    ([key, value]) => !key.startsWith('x-kubernetes-') && !(key === 'format' && value !== 'date-time'),
  );
  const entries = kept.map(([key, value]) => [
    key,
    key === 'properties' ? fields(asJsonObject(value)) : jsonSchema(value),
  ]);
  return { ...Object.fromEntries(entries), ...(isClosed && { additionalProperties: false }) };
}

/** The keys of `properties` are names of fields, and no keywords of the schema. */
function fields(properties: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, jsonSchema(schema)]));
}

async function generate(plural: string): Promise<readonly [string, string]> {
  const { spec } = asJsonObject(parse(await readFile(`deploy/crds/${plural}.yaml`, 'utf8')));
  const { group, names, versions } = asJsonObject(spec);
  const { kind } = asJsonObject(names);
  const [version] = objectsOf(versions);
  const root = asJsonObject(jsonSchema(asJsonObject(version?.['schema'])['openAPIV3Schema']));
  const { apiVersion, kind: kindField, status: _status, ...properties } = asJsonObject(root['properties']);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: kind,
    ...root,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { ...asJsonObject(apiVersion), const: `${String(group)}/${String(version?.['name'])}` },
      kind: { ...asJsonObject(kindField), const: kind },
      ...properties,
      status: { type: 'object', description: 'Written by controllers.' },
    },
  };
  return [`${folder}/${String(kind).toLowerCase()}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`];
}

const check = process.argv.includes('--check');
await mkdir(folder, { recursive: true });
for (const [path, text] of await Promise.all(definitions.map(generate))) {
  if (!check) await writeFile(path, text);
  else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
    console.error(`${path} is stale: npm run generate:schemas`);
    process.exitCode = 1;
  }
}
