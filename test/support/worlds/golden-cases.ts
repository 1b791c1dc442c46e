import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { matchKind } from '../../../src/resources/resources.ts';
import type { TranslationSettings, UnlistedNamespaces } from '../../../src/translate/model.ts';
import type { Manifest } from './translated-world.ts';

/**
 * The settings of a case, in a document with the key `case`. `problems` is the number of errors that the decoders must
 * report; it guards against unintended errors in an input.
 */
export interface GoldenCase {
  readonly problems: number;
  readonly settings: Partial<TranslationSettings>;
  readonly unlistedNamespaces: UnlistedNamespaces;
  readonly manifests: readonly Manifest[];
}

/** The folder of `<case>.in.yaml` and `<case>.out.yaml`. */
export const goldenFolder: string = join(import.meta.dirname, '..', '..', 'golden');

/** The name of every case, in alphabetical order. */
export function goldenCaseNames(): readonly string[] {
  const files = readdirSync(goldenFolder).sort();
  return files.filter((file) => file.endsWith('.in.yaml')).map((file) => file.slice(0, -'.in.yaml'.length));
}

/** The manifests of a case. */
export function readGoldenCase(name: string): GoldenCase {
  const documents = parseAllDocuments(readFileSync(join(goldenFolder, `${name}.in.yaml`), 'utf8'));
  const values = documents.map((document): unknown => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS();
  });
  const assumptions = values.find(isAssumption)?.case ?? {};
  return {
    problems: 0,
    settings: {},
    unlistedNamespaces: 'named',
    ...assumptions,
    manifests: values.filter((value) => !isAssumption(value)).map(readDocument),
  };
}

function isAssumption(value: unknown): value is { readonly case: Partial<GoldenCase> } {
  return typeof value === 'object' && value !== null && 'case' in value;
}

function readDocument(value: unknown): Manifest {
  if (isManifest(value)) return value;
  throw new Error(`A document is of no kind that counts: ${JSON.stringify(value)}`);
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('apiVersion' in value)) return false;
  return matchKind(value.apiVersion, value.kind).match === 'ours';
}
