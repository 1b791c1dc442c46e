import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../../src/source/diagnostics.ts';
import { limits } from '../../../../src/source/files/manifest/limits.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';

const service = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}]}\n${more}`;

const namespace = (name: string, labels = ''): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {${labels}}\n`;

/** The keys of what a text holds, with the line where each begins. */
function objects(text: string, namespaces: readonly string[] = []): readonly string[] {
  const manifest = parseManifest(text, namespaces);
  if (!manifest.ok) throw new Error(manifest.reason);
  return manifest.objects.map(({ content, position }) =>
    content.type === 'nameless namespace' ? content.type : `${content.type} ${content.key} ${position.line}`,
  );
}

function diagnostics(text: string): readonly Diagnostic[] {
  const manifest = parseManifest(text, []);
  if (!manifest.ok) throw new Error(manifest.reason);
  return manifest.diagnostics;
}

/** Severity, place, object and field of each problem. */
const places = (text: string): readonly string[] =>
  diagnostics(text).map(
    ({ severity, position, object, field }) => `${severity} ${position?.line}:${position?.column} ${object} ${field}`,
  );

/** Where and why nothing of a text counts. */
function refusal(text: string): string {
  const manifest = parseManifest(text, []);
  if (manifest.ok) throw new Error('the text was read');
  return `${manifest.position?.line}:${manifest.position?.column} ${manifest.reason}`;
}

describe('documents', () => {
  it('are read one after another, and those without content are left out', () => {
    const text = `# a comment\n---\n${service('a')}---\n# nothing\n---\nnull\n---\n---\n${service('b')}...\n`;
    expect(objects(text)).toEqual(['resource default/a 3', 'resource default/b 13']);
    expect(diagnostics(text)).toEqual([]);
  });

  it.each(['', '\n', '# only a comment', '---\n---\n', '\uFEFF# a mark'])('may be none: %j', (text) => {
    expect(objects(text)).toEqual([]);
    expect(diagnostics(text)).toEqual([]);
  });

  it('may be JSON, indented by tabs', () => {
    const json = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: {} }, null, '\t');
    expect(objects(json)).toEqual(['resource default/a 1']);
  });

  it('may have the line ends of Windows', () => {
    expect(objects(`${service('a')}---\n${service('b')}`.replaceAll('\n', '\r\n'))).toEqual([
      'resource default/a 1',
      'resource default/b 6',
    ]);
  });

  it('of kinds that are none of ours are skipped silently', () => {
    const text = `apiVersion: apps/v1\nkind: Deployment\nspec: 5\n---\napiVersion: v1\nkind: ConfigMap\ndata: [1]\n`;
    expect(objects(text)).toEqual([]);
    expect(diagnostics(text)).toEqual([]);
  });

  it('of a known kind in another apiVersion are a warning at the apiVersion', () => {
    const text = 'kind: Service\napiVersion: serving.knative.dev/v1\nmetadata: {name: a}\n';
    expect(objects(text)).toEqual([]);
    expect(places(text)).toEqual(['warning 2:1 Service default/a apiVersion']);
  });

  it.each([
    ['- a list\n', 'error 1:1 undefined '],
    ['just words\n', 'error 1:1 undefined '],
    ['apiVersion: v1\nmetadata: {name: a}\n', 'error 1:1 undefined kind'],
    ['apiVersion: v1\nkind: 5\n', 'error 2:1 undefined kind'],
    ['kind: Deployment\n', 'error 1:1 undefined apiVersion'],
  ])('that are no objects are an error: %j', (text, place) => {
    expect(objects(text)).toEqual([]);
    expect(places(text)).toEqual([place]);
  });

  it('of one namespace count when only that one is asked for, and so does what is in none', () => {
    const text = `${service('a')}---\n${service('b').replace('{name: b}', '{name: b, namespace: team}')}---\n${namespace('x')}`;
    expect(objects(text, ['team'])).toEqual(['resource team/b 6', 'resource x 11']);
    expect(objects(text, ['default', 'team'])).toHaveLength(3);
  });
});

describe('a v1 List', () => {
  const list = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
  spec: {}
- just words
- apiVersion: v1
  kind: List
  items:
  - apiVersion: v1
    kind: Namespace
    metadata:
      name: 5
`;

  it('stands for its items, which have their own places', () => {
    expect(objects(list)).toEqual(['resource default/a 4', 'nameless namespace']);
    expect(places(list)).toEqual(['error 8:3 undefined ', 'error 15:7 Namespace metadata.name']);
  });

  it('without a list of items is an error', () => {
    expect(places('apiVersion: v1\nkind: List\nitems: {a: b}\n')).toEqual(['error 3:1 undefined items']);
  });
});

describe('a Namespace', () => {
  it.each([
    ['without apiVersion', 'kind: Namespace\nmetadata: {name: a}\n', 'labels unknown a 1'],
    ['whose apiVersion is no string', 'apiVersion: 1\nkind: Namespace\nmetadata: {name: a}\n', 'labels unknown a 1'],
    ['of a core version that is not', 'apiVersion: v2\nkind: Namespace\nmetadata: {name: a}\n', 'labels unknown a 1'],
    ['without metadata', 'apiVersion: v1\nkind: Namespace\n', 'nameless namespace'],
    ['with a bad name', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: A b}\n', 'nameless namespace'],
    ['with an ambiguous name', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: 010}\n', 'nameless namespace'],
  ])('%s has an unreadable frame', (_, text, object) => {
    expect(objects(text)).toEqual([object]);
    expect(diagnostics(text)).not.toEqual([]);
  });

  it('of another group is another thing', () => {
    expect(objects('apiVersion: example.com/v1\nkind: Namespace\nmetadata: {name: a}\n')).toEqual([]);
  });
});

describe('a value', () => {
  /** Why the labels of a Namespace are not understood, and where. */
  const labels = (text: string): readonly string[] =>
    diagnostics(namespace('a', text)).map(({ field, message }) => `${field}: ${message}`);

  it.each([
    'a: yes',
    'a: 010',
    'a: 2001-12-14',
    'y: a',
    'True: a',
    '0x10: a',
    'null: a',
    '~: a',
    '<<: {b: c}',
    '=: a',
    'a: !!bool yes',
    'a: !!int "010"',
    'a: !mine b',
    'a: !!binary aGk=',
    'a: !!set {b}',
    '{{ .Values.key }}: a',
    'a: {{ .Values.value }}',
  ])('that readers of YAML take differently is not understood: %s', (text) => {
    expect(labels(text)).toHaveLength(1);
  });

  it.each(['a: !!str yes', 'a: ! yes', '"y": "yes"', "'on': 'off'", 'a: "010"', '? a : b', '1: a', 'true: a'])(
    'that is quoted, tagged or plain enough is understood: %s',
    (text) => {
      expect(labels(text)).toEqual([]);
    },
  );

  it('means the same whatever version the file claims', () => {
    expect(diagnostics(`%YAML 1.1\n---\n${namespace('a', 'b: yes')}`)).toHaveLength(1);
    expect(diagnostics(`%YAML 1.1\n---\n${namespace('a', 'b: "yes"')}`)).toEqual([]);
  });

  it('of a block keeps its text', () => {
    const block =
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    b: |-\n      yes\n    c: >-\n      010\n';
    expect(diagnostics(block)).toEqual([]);
  });

  it('of an alias is that of its anchor', () => {
    expect(diagnostics(namespace('a', 'b: &x "yes", c: *x, *x : d'))).toEqual([]);
    expect(labels('b: &x yes, c: *x')).toHaveLength(2);
  });

  it('cannot smuggle in a prototype', () => {
    const text = 'apiVersion: v1\nkind: Namespace\n__proto__: {metadata: {name: a}}\n';
    expect(objects(text)).toEqual(['nameless namespace']);
  });
});

describe('a place', () => {
  it('is the key of the field, in its document', () => {
    const text = `${service('a')}---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n  labels: []\nspecs: {}\nspec:\n  ports:\n  - port: 80\n    appProtocol: kgateway.dev/mcp\n  - port: 0x1F\n    appProtocol: kgateway.dev/mcp\n    protocol: 5\n`;
    expect(places(text)).toContain('warning 11:1 Service default/b specs');
    expect(places(text)).toContain('error 18:5 Service default/b spec.ports[1].protocol');
  });

  it('of what is missing is what it is missing in', () => {
    const text = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  labels: {}\n';
    expect(places(text)).toEqual(['error 3:1 Namespace metadata.name']);
  });

  it('behind an alias is where the anchor is', () => {
    const text = 'kind: Namespace\napiVersion: v1\nx: &m\n  name: 5\nmetadata: *m\n';
    expect(places(text)).toContain('error 4:3 Namespace metadata.name');
  });
});

describe('nothing of a text counts', () => {
  const bomb = (levels: number, width: number): string => {
    const level = (at: number): string => `a${at}: &a${at} [${`*a${at - 1},`.repeat(width)}]\n`;
    return `a0: &a0 [x]\n${Array.from({ length: levels }, (_, at) => level(at + 1)).join('')}`;
  };

  it.each([
    ['a syntax error', `${service('a')}---\nmetadata: [a, b\nkind: x\n`, /^7:1 /],
    ['an open quotation', 'a: "b\nc: d\n', /^3:1 This is no YAML: Missing closing .*\.$/],
    ['a tab for indentation', 'a:\n\tb: c\n', /^2:1 This is no YAML: Tabs .*\.$/],
    ['a key that is there twice', 'a: 1\nb: 2\na: 3\n', /^3:1 The key "a" is there twice/],
    ['a key that is there twice, once in quotes', '1: a\n"1": b\n', /^2:1 The key "1" is there twice/],
    ['a key that is there twice, once as an alias', '&x a: 1\n*x : 2\n', /^2:1 The key "a" is there twice/],
    ['a key that is there twice far down', 'a: [{b: {c: 1, c: 2}}]\n', /^1:16 /],
    ['an alias without an anchor', 'a: *x\n', /^1:4 No anchor &x/],
    ['an alias inside of its anchor', 'a: &x [*x]\n', /^1:8 &x contains itself/],
    ['more aliases than allowed', `a: &x b\nc: [${'*x,'.repeat(101)}]\n`, /^2:305 More than 100 aliases/],
    ['more aliases than allowed in all documents', `a: &x b\nc: [${'*x,'.repeat(60)}]\n---\n`.repeat(2), /aliases/],
    ['few aliases that multiply', bomb(9, 9), /^\d+:\d+ The aliases stand for more than/],
    ['lists nested beyond measure', '['.repeat(100_000), /levels are nested/],
    ['mappings nested beyond measure', '{a: '.repeat(100_000), /levels are nested/],
    ['a directive without a document', '%YAML 1.2\n', /directives-end/],
  ])('for %s', (_, text, reason) => {
    expect(refusal(text)).toMatch(reason);
  });

  it('for a hundred thousand mistakes, of which the first is told', () => {
    expect(refusal('"'.repeat(100_000))).toMatch(/^1:3 /);
  });

  it('but as many aliases as allowed are fine', () => {
    expect(
      diagnostics(namespace('a', `b: &x c, ${Array.from({ length: 100 }, (_, at) => `l${at}: *x`).join()}`)),
    ).toEqual([]);
  });
});

it('a file with thousands of problems tells the first ones, and how many are left', () => {
  const told = diagnostics('---\n- a\n'.repeat(500));
  expect(told).toHaveLength(limits.diagnostics + 1);
  expect(told.at(-1)).toMatchObject({ severity: 'error', position: undefined });
  expect(told.at(-1)?.message).toContain('400 more errors');
});
