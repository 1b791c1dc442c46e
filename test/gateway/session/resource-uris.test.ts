import { UriTemplate } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qualify, unqualify } from '../../../src/gateway/session/qualified-names.ts';
import { exposeTemplate, exposeUri, isUiUri, parseExposedUri } from '../../../src/gateway/session/resource-uris.ts';

const targetName = fc.oneof(
  fc.constantFrom('default/tool', 'default/tool/80', 'a/b', 'a', 'a//b', '', 'ä/ö %2F', 'a/b%3Ac'),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll(':', '')),
);
const anyText = fc.oneof(
  fc.constantFrom('file:///a/b c', 'demo://x?y=%20#z', '', ':', '/', '/:', '%', 'x/:y', 'ui://a'),
  fc.string({ unit: 'binary' }),
);

describe('the URIs that clients see', () => {
  it('say which target and which of its URIs they stand for', () => {
    expect(exposeUri({ target: 'default/tool', name: 'file:///a b' })).toBe('mcp://default/tool/file%3A%2F%2F%2Fa%20b');
    expect(exposeTemplate({ target: 'default/tool', name: 'file:///{path}' })).toBe(
      'mcp://default/tool/:file:///{path}',
    );
  });

  it('are read back as they were made, whatever target and URI are', () => {
    fc.assert(
      fc.property(targetName, anyText, (target, name) => {
        const uri = exposeUri({ target, name });
        const template = exposeTemplate({ target, name });
        expect(uri === undefined ? undefined : parseExposedUri(uri)).toEqual({ target, name });
        expect(template === undefined ? undefined : parseExposedUri(template)).toEqual({ target, name });
      }),
    );
  });

  it('differ when target or URI differ, and a resource is never a template', () => {
    fc.assert(
      fc.property(targetName, anyText, targetName, anyText, (target, name, otherTarget, otherName) => {
        fc.pre(target !== otherTarget || name !== otherName);
        expect(exposeUri({ target, name })).not.toBe(exposeUri({ target: otherTarget, name: otherName }));
        expect(exposeUri({ target, name })).not.toBe(exposeTemplate({ target: otherTarget, name: otherName }));
      }),
    );
  });

  it('are not made of what is no text or could be read in two ways', () => {
    expect(exposeUri({ target: 'a', name: '\ud800' })).toBeUndefined();
    expect(exposeTemplate({ target: 'a', name: '\ud800' })).toBeUndefined();
    expect(exposeUri({ target: 'a:b', name: 'c' })).toBeUndefined();
  });

  it('are read without an error from any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const read = parseExposedUri(`mcp://${text}`);
        expect(read?.target.includes(':') ?? false).toBe(false);
      }),
    );
    for (const foreign of [
      'file:///a',
      'mcp://',
      'mcp://a',
      'mcp://a:b/c',
      'mcp://%zz/a',
      'mcp://a/%zz',
      'mcp://a%3Ab/c',
    ]) {
      expect(parseExposedUri(foreign), foreign).toBeUndefined();
    }
  });

  it('never let a target speak for another one: the name that rules know is split as it was joined', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const read = parseExposedUri(`mcp://${text}`);
        fc.pre(read !== undefined && read.target !== '' && read.name !== '');
        expect(unqualify(qualify(read ?? { target: '', name: '' }))).toEqual(read);
      }),
    );
  });
});

describe('a template', () => {
  const templates = [
    'demo://x/{id}',
    'demo://x/{+path}',
    'demo://x{/a,b}{?q,r*}{#f}',
    '{+all}',
    'file:///{a}/{b}.txt',
    'plain:x',
  ];
  const value = fc.oneof(fc.constantFrom('a b', 'a/b', 'ü', '%', '?', ':', 'mcp://x/:y'), fc.string({ minLength: 1 }));

  it('expands to a URI that is read back as what the target’s own template expands to', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...templates),
        fc.record({ id: value, path: value, a: value, b: value, q: value, r: value, f: value, all: value }),
        (template, values) => {
          const exposed = exposeTemplate({ target: 'default/tool', name: template });
          const expanded = new UriTemplate(exposed ?? '').expand(values);
          expect(parseExposedUri(expanded)).toEqual({
            target: 'default/tool',
            name: new UriTemplate(template).expand(values),
          });
        },
      ),
    );
  });
});

describe('names of tools and prompts', () => {
  it('are split at the first colon, so that what was joined is what comes back', () => {
    const nonEmpty = fc.string({ minLength: 1, unit: 'binary' });
    fc.assert(
      fc.property(
        nonEmpty.filter((text) => !text.includes(':')),
        nonEmpty,
        (target, name) => {
          expect(unqualify(qualify({ target, name }))).toEqual({ target, name });
        },
      ),
    );
  });

  it('are nothing without a target and a name', () => {
    for (const text of ['', ':', 'a', 'a:', ':a']) expect(unqualify(text), text).toBeUndefined();
  });
});

it('a ui:// URI is known by its beginning', () => {
  expect(['ui://a', 'UI://a', 'mcp://t/ui%3A%2F%2Fa', 'ui:a'].map(isUiUri)).toEqual([true, false, false, false]);
});
