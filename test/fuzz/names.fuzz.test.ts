import { describe, expect } from 'vitest';
import { parsePortableName, portableName } from '../../src/gateway/session/names/portable-names.ts';
import { qualify, unqualify } from '../../src/gateway/session/names/qualified-names.ts';
import { exposeTemplate, exposeUri, isUiUri, parseExposedUri } from '../../src/gateway/session/names/resource-uris.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

describe('what a client calls a thing of a target', () => {
  fuzz('has one meaning in each form, and what it was made of has one name', {
    corpus: new URL('./corpus/names/', import.meta.url),
    dictionary: [
      '__',
      '--',
      '--h',
      '--x41z',
      '--xd800z',
      'mcp://',
      '/:',
      ':',
      '%',
      '%2F',
      '%E4',
      'ui://',
      '\n',
      '\xff',
    ],
    run(input) {
      const text = input.toString();
      const portable = parsePortableName(text);
      if (portable?.kind === 'name') expect(portableName(portable)).toBe(text);
      const qualified = unqualify(text);
      if (qualified !== undefined) {
        expect(qualify(qualified)).toBe(text);
        expect(qualified.target).not.toContain(':');
      }
      const resource = parseExposedUri(text);
      if (resource !== undefined) {
        expect(resource.target).not.toContain(':');
        for (const expose of [exposeUri, exposeTemplate])
          expect(parseExposedUri(expose(resource) ?? '')).toEqual(resource);
      }
      expect(isUiUri(text) && resource !== undefined).toBe(false);

      // The input as a target and a name of its own.
      const [target = '', ...rest] = text.split('\n');
      const name = rest.join('\n');
      if (target === '' || name === '') return;
      const exposed = portableName({ target, name });
      expect(exposed).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      const parsed = parsePortableName(exposed);
      if (parsed?.kind !== 'hashed') expect(parsed).toEqual({ kind: 'name', target, name });
      const uri = exposeUri({ target, name });
      if (uri !== undefined) expect(parseExposedUri(uri)).toEqual({ target, name });
    },
  });
});
