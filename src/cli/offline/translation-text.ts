import { stringify } from 'yaml';
import type { TranslationDocument } from '../../app/offline/translation-document.ts';

/** The document of `translate`, in parts: all Gateways together may be larger than memory. */
export function documentText(document: TranslationDocument, format: 'text' | 'yaml' | 'json'): Generator<string> {
  return format === 'json' ? jsonParts(document) : yamlParts(document);
}

/** A value as YAML, each object of it in full. */
export function yamlText(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' });
}

function* yamlParts({ gateways, statuses }: TranslationDocument): Generator<string> {
  yield 'version: 1\n';
  let first = true;
  for (const gateway of gateways()) {
    if (first) yield 'gateways:\n';
    first = false;
    yield yamlText([gateway]);
  }
  if (first) yield 'gateways: []\n';
  yield yamlText({ statuses });
}

function* jsonParts({ gateways, statuses }: TranslationDocument): Generator<string> {
  yield '{\n"version": 1,\n"gateways": [';
  let separator = '\n';
  for (const gateway of gateways()) {
    yield `${separator}${JSON.stringify(gateway, undefined, 2)}`;
    separator = ',\n';
  }
  yield `],\n"statuses": ${JSON.stringify(statuses, undefined, 2)}\n}\n`;
}
