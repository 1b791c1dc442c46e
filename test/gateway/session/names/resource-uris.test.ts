import { UriTemplate } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qualify, unqualify } from '../../../../src/gateway/session/names/qualified-names.ts';
import {
  exposeTemplate,
  exposeUri,
  isUiUri,
  parseExposedUri,
  uriRewriterOf,
} from '../../../../src/gateway/session/names/resource-uris.ts';

const targetName = fc.oneof(
  fc.constantFrom('default/tool', 'default/tool/80', 'a/b', 'a', 'a//b', '', 'ä/ö %2F', 'a/b%3Ac'),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll(':', '')),
);
const anyText = fc.oneof(
  fc.constantFrom('file:///a/b c', 'demo://x?y=%20#z', '', ':', '/', '/:', '%', 'x/:y', 'ui://a'),
  fc.string({ unit: 'binary' }),
);

describe('exposed URIs', () => {
  it('contain the target and its URI', () => {
    expect(exposeUri({ target: 'default/tool', name: 'file:///a b' })).toBe('mcp://default/tool/file%3A%2F%2F%2Fa%20b');
    expect(exposeTemplate({ target: 'default/tool', name: 'file:///{path}' })).toBe(
      'mcp://default/tool/:file:///{path}',
    );
  });

  it('are parsed to the target and URI they were built from', () => {
    fc.assert(
      fc.property(targetName, anyText, (target, name) => {
        const uri = exposeUri({ target, name });
        const template = exposeTemplate({ target, name });
        expect(uri === undefined ? undefined : parseExposedUri(uri)).toEqual({ target, name });
        expect(template === undefined ? undefined : parseExposedUri(template)).toEqual({ target, name });
      }),
    );
  });

  it('differ when target or URI differ, and between resources and templates', () => {
    fc.assert(
      fc.property(targetName, anyText, targetName, anyText, (target, name, otherTarget, otherName) => {
        fc.pre(target !== otherTarget || name !== otherName);
        expect(exposeUri({ target, name })).not.toBe(exposeUri({ target: otherTarget, name: otherName }));
        expect(exposeUri({ target, name })).not.toBe(exposeTemplate({ target: otherTarget, name: otherName }));
      }),
    );
  });

  it('are not built from malformed text or an ambiguous target name', () => {
    expect(exposeUri({ target: 'a', name: '\ud800' })).toBeUndefined();
    expect(exposeTemplate({ target: 'a', name: '\ud800' })).toBeUndefined();
    expect(exposeUri({ target: 'a:b', name: 'c' })).toBeUndefined();
  });

  it('are parsed without an error from any text', () => {
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

  it('never refer to another target: the qualified name for the rules is split as it was joined', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const read = parseExposedUri(`mcp://${text}`);
        fc.pre(read !== undefined && read.target !== '' && read.name !== '');
        expect(unqualify(qualify(read ?? { target: '', name: '' }))).toEqual(read);
      }),
    );
  });
});

it.each(['file:///a.txt', 'file:///a%20b', 'demo://x/y', 'git:a/b', 'https://a.example/%7Eb'])(
  'an exposed URI is parsed after VS Code has decoded its path: %s',
  (name) => {
    const exposed = exposeUri({ target: 'default/tool', name }) ?? '';
    const [, authority = '', path = ''] = /^mcp:\/\/([^/]*)(.*)$/.exec(exposed) ?? [];
    const asked = new URL(`mcp://${authority}`);
    asked.pathname = decodeURIComponent(path);
    expect(asked.href).not.toBe(exposed);
    expect(parseExposedUri(asked.href)).toEqual({ target: 'default/tool', name });
  },
);

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

  it('expands to a URI that is parsed to what the target’s own template expands to', () => {
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

describe('qualified names', () => {
  it('are split at the first colon, which is the one that joined them', () => {
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

  it('are undefined without a target or a name', () => {
    for (const text of ['', ':', 'a', 'a:', ':a']) expect(unqualify(text), text).toBeUndefined();
  });
});

it('a ui:// URI is recognized by its scheme', () => {
  expect(['ui://a', 'UI://a', 'mcp://t/ui%3A%2F%2Fa', 'ui:a'].map(isUiUri)).toEqual([true, false, false, false]);
});

describe('the URIs of one result', () => {
  it('are rewritten up to a megabyte, so that no result holds the event loop', () => {
    const rewrite = uriRewriterOf('t');
    const uris = Array.from({ length: 30_000 }, (_, index) => `${index}`.padEnd(1_000));
    expect(uris.map(rewrite).filter((uri) => uri.startsWith('mcp://'))).toHaveLength(985);
    expect(uriRewriterOf('t')(' '.repeat(2_000_000))).toHaveLength(2_000_000);
    expect(uriRewriterOf('t')('a b')).toBe('mcp://t/a%20b');
  });
});
