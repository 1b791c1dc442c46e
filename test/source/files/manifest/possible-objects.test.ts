import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KindName } from '../../../../src/resources/model.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';
import {
  type PossibleObjects,
  possibleObjects,
  WordCollector,
} from '../../../../src/source/files/manifest/possible-objects.ts';

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

function mayDefine(text: string, kind: KindName, name: string): boolean {
  const possible = possibleObjects(text);
  return possible === 'any' || possible.names.get(kind)?.has(name) === true;
}

const policy = (name: string): string =>
  `apiVersion: gateway.kgateway.dev/v1alpha1\nkind: MCPAuthPolicy\nmetadata: {name: ${name}}\nspec: {targetRefs: [{kind: Gateway, name: g}]}\n`;

describe('the words of a text that does not parse', () => {
  it.each([
    ['plain', 'kind: Service\nmetadata: {name: abc}\n['],
    ['in quotes', 'kind: "Service"\nmetadata: {name: \'abc\'}\n['],
    ['escaped', '"kind": "S\\x65rvice"\n"name": "a\\u0062c"\n['],
    ['over two lines', 'kind: "Ser\\\n  vice"\nname: "ab\\\r\n   c"\n['],
    ['behind an anchor and a tag', 'kind: &k !!str Service\nname: &n !!str abc\n['],
    ['as JSON', '{"kind":"Service","metadata":{"name":"abc"}'],
    ['of a List', 'apiVersion: v1\nkind: List\nitems:\n- kind: Service\n  name: abc\n['],
    ['with a mistyped kind', 'apiVersion: v1\nkind: Servicee\nmetadata: {name: abc}\n['],
  ])('tell what it may define: %s', (_, text) => {
    expect(mayDefine(text, 'Service', 'abc')).toBe(true);
    expect(mayDefine(text, 'Service', 'abd')).toBe(false);
  });

  it('belong to one document, whose kind is plain where it stands at the margin', () => {
    const text = `${policy('p')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {kind: Service}\n---\n[`;
    expect(mayDefine(text, 'MCPAuthPolicy', 'p')).toBe(true);
    expect(mayDefine(text, 'MCPAuthPolicy', 'c')).toBe(false);
    expect(mayDefine(text, 'Service', 'c')).toBe(false);
    expect(mayDefine(text, 'Gateway', 'g')).toBe(false);
    expect(mayDefine(`{"kind":"MCPAuthPolicy","targetRefs":[{"kind":"Gateway","name":"g"}]`, 'Gateway', 'g')).toBe(
      true,
    );
  });

  it('of documents behind the end of another one are not hidden by the kind of that one', () => {
    const before = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n';
    const hidden = policy('p').replaceAll(/^/gm, '  ');
    for (const end of ['...', '... # end', '...\r'])
      expect(mayDefine(`${before}${end}\n${hidden}[`, 'MCPAuthPolicy', 'p')).toBe(true);
    expect(mayDefine(`${before}data: {a: Service}\n...\n# Service\n\n---\n[`, 'Service', 'c')).toBe(false);
  });

  it('are found in pieces wherever these are cut', () => {
    const text = `${policy('some-name')}[`;
    for (let cut = 0; cut < text.length; cut += 1) {
      const words = new WordCollector();
      words.addPiece(text.slice(0, cut));
      words.addPiece(text.slice(Math.max(0, cut - 256)));
      words.endDocument();
      const possible = words.found();
      expect(possible === 'any' || possible.names.get('MCPAuthPolicy')?.has('some-name')).toBe(true);
    }
  });

  it('have the names of all objects that the text defines', () => {
    const name = fc.stringMatching(/^x[a-z0-9-]{0,8}[a-z0-9]$/);
    const quote = fc.constantFrom('', '"', "'");
    const kind = fc.constantFrom('Service', 'Namespace', 'Gateway');
    const json = fc.record({ kind, name }).map((one) => ({ text: JSON.stringify(objectOf(one)), ...one }));
    const block = fc
      .record({ kind, name, quote })
      .map(({ quote: mark, ...one }) => ({ text: blockOf({ ...one, mark }), ...one }));
    fc.assert(
      fc.property(fc.array(fc.oneof(json, block), { minLength: 1, maxLength: 4 }), (objects) => {
        const text = objects.map((one) => one.text).join('\n---\n');
        const parsed = parseManifest(text, []);
        expect(parsed.ok && parsed.objects.length).toBe(objects.length);
        for (const one of objects) expect(mayDefine(text, one.kind as KindName, one.name)).toBe(true);
      }),
    );
  });
});

describe('the words of a document that hides where it ends, or its kind', () => {
  const [head, rest] = [policy('p').split('metadata')[0] ?? '', `metadata${policy('p').split('metadata')[1] ?? ''}`];
  const indented = policy('p').replaceAll(/^(?=.)/gm, '  ');
  const kindBehind = (lineBreak: string): string => `${lineBreak}apiVersion: v1${lineBreak}kind: ConfigMap${lineBreak}`;

  it.each([
    ['by a marker behind a carriage return', `${head}# \r---\n${rest}`],
    ['by a marker before a blank that is none in YAML', `${head}---\u00a0x: 1\n${rest}`],
    ['by an escaped marker', `${head}x: "\\x0a--- "\n${rest}`],
    ['by a kind behind a carriage return', `# ${kindBehind('\r')}\n${indented}`],
    ['by a kind behind a line separator', `# ${kindBehind('\u2028')}\n${indented}`],
    ['by an escaped kind', `${indented}  x: "${kindBehind('\\x0a')} "\n`],
  ])('are those that the parser sees: %s', (_, text) => {
    const parsed = parseManifest(text, []);
    expect(parsed.ok && parsed.objects.length).toBe(1);
    expect(mayDefine(text, 'MCPAuthPolicy', 'p')).toBe(true);
  });
});

describe('the words that are kept of a text', () => {
  it('are bounded: with too many of them it may define anything, unless it names none of the kinds', () => {
    const words = Array.from({ length: 6_000 }, (_, at) => `w${at}`).join(' ');
    expect(possibleObjects(`${policy('p')}${words}`)).toBe('any');
    expect(mayDefine(words, 'Service', 'w1')).toBe(false);
    expect(mayDefine(`${words}\n---\n${policy('p')}[`, 'MCPAuthPolicy', 'p')).toBe(true);
  });

  it('are no longer than a name may be', () => {
    expect(mayDefine(`${policy('p')}[ ${'n'.repeat(253)}`, 'MCPAuthPolicy', 'n'.repeat(253))).toBe(true);
    expect(mayDefine(`${policy('p')}[ ${'n'.repeat(254)}`, 'MCPAuthPolicy', 'n'.repeat(254))).toBe(false);
  });

  it('are kept without the text that they are a part of', () => {
    const collect = (at: number): PossibleObjects => {
      const words = new WordCollector();
      words.addPiece(`unique-word-number-${at} MCPAuthPolicy ${'a '.repeat(256 * 1024)}`);
      words.endDocument();
      return words.found();
    };
    const before = heapUsed();
    const found = Array.from({ length: 40 }, (_, at) => collect(at));
    expect(heapUsed() - before).toBeLessThan(5_000_000);
    expect(found).toHaveLength(40);
  });
});

interface Named {
  readonly kind: string;
  readonly name: string;
}

function versionOf(kind: string): string {
  return kind === 'Gateway' ? 'gateway.networking.k8s.io/v1' : 'v1';
}

function objectOf({ kind, name }: Named): unknown {
  return { apiVersion: versionOf(kind), kind, metadata: { name }, spec: { gatewayClassName: 'c', listeners: [] } };
}

function blockOf({ kind, name, mark }: Named & { readonly mark: string }): string {
  return `metadata:\n  name: ${mark}${name}${mark}\napiVersion: ${versionOf(kind)}\nkind: ${kind}\nspec: {gatewayClassName: c, listeners: []}\n`;
}
