import { asJsonObject, objectIn, objectsOf } from '../../../json/json.ts';
import type { KindName } from '../../../resources/model.ts';
import { kinds } from '../../../resources/resources.ts';
import { collectionPath, withQuery } from './path.ts';
import type { ApiReader } from './reader.ts';

/** Milliseconds that somebody waits for an object. */
const timeout = 5_000;

/** Characters that are returned. */
const maxText = 64 * 1024;

/** Characters of the value of an annotation: programs keep whole documents there. One that counts here has no more. */
const maxAnnotation = 1_024;

/** Written by programs for themselves, and longer than the rest. */
const applied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Reads one object, as YAML without the fields that only programs read; undefined when it cannot be read. Lists it by
 * its name: the program has the right to list, and none to get.
 */
export async function readManifest(reader: ApiReader, kind: KindName, key: string): Promise<string | undefined> {
  const [first = '', second] = key.split('/', 2);
  const name = second ?? first;
  const path = collectionPath({ kind, namespace: second === undefined ? undefined : first });
  const query = { fieldSelector: `metadata.name=${name}`, limit: '1' };
  const result = await reader.get(withQuery(path, query), AbortSignal.timeout(timeout));
  if (result?.ok !== true) return undefined;
  const [object] = objectsOf(asJsonObject(result.value)['items']);
  if (object === undefined) return undefined;
  const { managedFields: _, resourceVersion: __, annotations, ...metadata } = objectIn(object, 'metadata');
  const kept = shownAnnotations(asJsonObject(annotations));
  return manifestText({
    apiVersion: kinds[kind].apiVersion,
    kind,
    ...object,
    metadata: { ...metadata, ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }) },
  });
}

function shownAnnotations(annotations: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(annotations).flatMap(([name, value]) => {
    if (name === applied) return [];
    if (typeof value !== 'string' || value.length <= maxAnnotation) return [[name, value]];
    const begin = value.slice(0, maxAnnotation).toWellFormed();
    return [[name, `${begin}… (${value.length - begin.length} more characters)`]];
  });
}

/**
 * An object as YAML; a long one as JSON, which is YAML too: writing a megabyte in the style of YAML would hold up
 * everything else for a second.
 */
async function manifestText(object: object): Promise<string> {
  if (JSON.stringify(object).length > maxText) return cut(JSON.stringify(object, undefined, 2));
  const { stringify } = await import('yaml');
  return cut(stringify(object, { aliasDuplicateObjects: false }));
}

function cut(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText).toWellFormed()}\n# … (the object is longer)\n`;
}
