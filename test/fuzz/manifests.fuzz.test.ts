import { describe, expect } from 'vitest';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** Names of everything that the manifests of the corpus define or allow. */
const known = /^(?:[a-z0-9-]*\/)?[a-z0-9.-]+$/;

describe('a manifest', () => {
  fuzz('is read as objects with places in the file, or refused as a whole', {
    corpus: new URL('./corpus/manifests/', import.meta.url),
    dictionary: [
      '---\n',
      '- ',
      '  ',
      ': ',
      '&a ',
      '*a',
      '!!str ',
      '!',
      '<<: ',
      '{',
      '}',
      '[',
      '"',
      "'",
      '|\n',
      '>-\n',
      '\t',
      '\xff',
      '%YAML 1.1\n',
    ],
    run(input) {
      const text = input.toString();
      const lines = text.split(/\n/).length;
      const manifest = parseManifest(text, []);
      if (!manifest.ok) {
        expect(manifest.reason).not.toBe('');
        expect(manifest.position?.line ?? 1).toBeLessThanOrEqual(lines);
        return;
      }
      for (const { content, position } of manifest.objects) {
        expect(position.line).toBeLessThanOrEqual(lines);
        if (content.type === 'resource') expect(content.key).toMatch(known);
      }
      for (const { message } of manifest.diagnostics) expect(message).not.toBe('');
    },
  });
});
