import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../../src/source/diagnostics.ts';
import { limits } from '../../../../src/source/files/manifest/limits.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';

const service = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}]}\n${more}`;

const namespace = (name: string, labels = ''): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {${labels}}\n`;

/** The content types and keys of a text's objects, with the line of each. */
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

/** Severity, position, object and field of each diagnostic. */
const places = (text: string): readonly string[] =>
  diagnostics(text).map(
    ({ severity, position, object, field }) => `${severity} ${position?.line}:${position?.column} ${object} ${field}`,
  );

/** Position and reason of an invalid text. */
function refusal(text: string): string {
  const manifest = parseManifest(text, []);
  if (manifest.ok) throw new Error('the text was read');
  return `${manifest.position?.line}:${manifest.position?.column} ${manifest.reason}`;
}

describe('documents', () => {
  it('are parsed in order, and empty ones are skipped', () => {
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

  it('may have Windows line endings', () => {
    expect(objects(`${service('a')}---\n${service('b')}`.replaceAll('\n', '\r\n'))).toEqual([
      'resource default/a 1',
      'resource default/b 6',
    ]);
  });

  it('of other kinds are skipped without a diagnostic', () => {
    const text = `apiVersion: apps/v1\nkind: Deployment\nspec: 5\n---\napiVersion: v1\nkind: ConfigMap\ndata: [1]\n`;
    expect(objects(text)).toEqual([]);
    expect(diagnostics(text)).toEqual([]);
  });

  it('of a known kind in another apiVersion get a warning at the apiVersion', () => {
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
  ])('that are no objects get an error: %j', (text, place) => {
    expect(objects(text)).toEqual([]);
    expect(places(text)).toEqual([place]);
  });

  it('count only in the selected namespaces, cluster-scoped objects always', () => {
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

  it('yields its items, each with its own position', () => {
    expect(objects(list)).toEqual(['resource default/a 4', 'nameless namespace']);
    expect(places(list)).toEqual(['error 8:3 undefined ', 'error 15:7 Namespace metadata.name']);
  });

  it('without a list of items gets an error', () => {
    expect(places('apiVersion: v1\nkind: List\nitems: {a: b}\n')).toEqual(['error 3:1 undefined items']);
  });
});

describe('a Namespace', () => {
  it.each([
    ['without apiVersion', 'kind: Namespace\nmetadata: {name: a}\n', 'labels unknown a 1'],
    ['whose apiVersion is no string', 'apiVersion: 1\nkind: Namespace\nmetadata: {name: a}\n', 'labels unknown a 1'],
    [
      'of a core version that does not exist',
      'apiVersion: v2\nkind: Namespace\nmetadata: {name: a}\n',
      'labels unknown a 1',
    ],
    ['without metadata', 'apiVersion: v1\nkind: Namespace\n', 'nameless namespace'],
    ['with a bad name', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: A b}\n', 'nameless namespace'],
    ['with an ambiguous name', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: 010}\n', 'nameless namespace'],
  ])('%s has an unreadable frame', (_, text, object) => {
    expect(objects(text)).toEqual([object]);
    expect(diagnostics(text)).not.toEqual([]);
  });

  it('of another group is another kind', () => {
    expect(objects('apiVersion: example.com/v1\nkind: Namespace\nmetadata: {name: a}\n')).toEqual([]);
  });
});

describe('a value', () => {
  /** Position and message of the diagnostics of a Namespace's labels. */
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
  ])('that YAML 1.1 and 1.2 read differently is ambiguous: %s', (text) => {
    expect(labels(text)).toHaveLength(1);
  });

  it.each(['a: !!str yes', 'a: ! yes', '"y": "yes"', "'on': 'off'", 'a: "010"', '? a : b', '1: a', 'true: a'])(
    'that is quoted, tagged or plain enough is understood: %s',
    (text) => {
      expect(labels(text)).toEqual([]);
    },
  );

  it('is read by YAML 1.2 whatever the %YAML directive', () => {
    expect(diagnostics(`%YAML 1.1\n---\n${namespace('a', 'b: yes')}`)).toHaveLength(1);
    expect(diagnostics(`%YAML 1.1\n---\n${namespace('a', 'b: "yes"')}`)).toEqual([]);
  });

  it('of a block scalar keeps its text', () => {
    const block =
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    b: |-\n      yes\n    c: >-\n      010\n';
    expect(diagnostics(block)).toEqual([]);
  });

  it('of an alias is that of its anchor', () => {
    expect(diagnostics(namespace('a', 'b: &x "yes", c: *x, *x : d'))).toEqual([]);
    expect(labels('b: &x yes, c: *x')).toHaveLength(2);
  });

  it('cannot set a prototype', () => {
    const text = 'apiVersion: v1\nkind: Namespace\n__proto__: {metadata: {name: a}}\n';
    expect(objects(text)).toEqual(['nameless namespace']);
  });
});

describe('a position', () => {
  it('is that of the key of the field, in its document', () => {
    const text = `${service('a')}---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n  labels: []\nspecs: {}\nspec:\n  ports:\n  - port: 80\n    appProtocol: kgateway.dev/mcp\n  - port: 0x1F\n    appProtocol: kgateway.dev/mcp\n    protocol: 5\n`;
    expect(places(text)).toContain('warning 11:1 Service default/b specs');
    expect(places(text)).toContain('error 18:5 Service default/b spec.ports[1].protocol');
  });

  it('of a missing field is that of its parent', () => {
    const text = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  labels: {}\n';
    expect(places(text)).toEqual(['error 3:1 Namespace metadata.name']);
  });

  it('behind an alias is that of the anchor', () => {
    const text = 'kind: Namespace\napiVersion: v1\nx: &m\n  name: 5\nmetadata: *m\n';
    expect(places(text)).toContain('error 4:3 Namespace metadata.name');
  });
});

describe('a file is invalid as a whole', () => {
  const bomb = (levels: number, width: number): string => {
    const level = (at: number): string => `a${at}: &a${at} [${`*a${at - 1},`.repeat(width)}]\n`;
    return `a0: &a0 [x]\n${Array.from({ length: levels }, (_, at) => level(at + 1)).join('')}`;
  };

  it.each([
    ['a syntax error', `${service('a')}---\nmetadata: [a, b\nkind: x\n`, /^7:1 /],
    ['an unclosed quote', 'a: "b\nc: d\n', /^3:1 This is no YAML: Missing closing .*\.$/],
    ['a tab for indentation', 'a:\n\tb: c\n', /^2:1 This is no YAML: Tabs .*\.$/],
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', /^3:1 The key "a" is there twice/],
    ['a duplicate key, once in quotes', '1: a\n"1": b\n', /^2:1 The key "1" is there twice/],
    ['a duplicate key, once as an alias', '&x a: 1\n*x : 2\n', /^2:1 The key "a" is there twice/],
    ['a duplicate key deep in the document', 'a: [{b: {c: 1, c: 2}}]\n', /^1:16 /],
    ['an alias without an anchor', 'a: *x\n', /^1:4 No anchor &x/],
    ['an alias inside of its anchor', 'a: &x [*x]\n', /^1:8 &x contains itself/],
    ['more aliases than allowed', `a: &x b\nc: [${'*x,'.repeat(101)}]\n`, /^2:305 More than 100 aliases/],
    ['more aliases than allowed in all documents', `a: &x b\nc: [${'*x,'.repeat(60)}]\n---\n`.repeat(2), /aliases/],
    ['few aliases that multiply', bomb(9, 9), /^\d+:\d+ The aliases stand for more than/],
    ['lists nested too deep', '['.repeat(100_000), /levels are nested/],
    ['mappings nested too deep', '{a: '.repeat(100_000), /levels are nested/],
    ['a directive without a document', '%YAML 1.2\n', /directives-end/],
  ])('for %s', (_, text, reason) => {
    expect(refusal(text)).toMatch(reason);
  });

  it('for a hundred thousand errors, of which only the first is reported', () => {
    expect(refusal('"'.repeat(100_000))).toMatch(/^1:3 /);
  });

  it('but not for as many aliases as the limit', () => {
    expect(
      diagnostics(namespace('a', `b: &x c, ${Array.from({ length: 100 }, (_, at) => `l${at}: *x`).join()}`)),
    ).toEqual([]);
  });
});

it('a file with hundreds of problems lists the first ones and counts the rest', () => {
  const listed = diagnostics('---\n- a\n'.repeat(500));
  expect(listed).toHaveLength(limits.diagnostics + 1);
  expect(listed.at(-1)).toMatchObject({ severity: 'error', position: undefined });
  expect(listed.at(-1)?.message).toContain('400 more errors');
});

it('a file has as many objects as are allowed, and does not count with one more', () => {
  const objects = Array.from({ length: limits.objects }, (_, index) => `---\n${namespace(`n${index}`)}`).join('');
  expect(parseManifest(objects, [])).toMatchObject({ ok: true, objects: { length: limits.objects } });
  expect(parseManifest(`${objects}---\n${namespace('one-more')}`, [])).toMatchObject({
    ok: false,
    reason: expect.stringContaining(`The file has more than ${limits.objects} objects: split it.`),
    position: { line: objects.split('\n').length + 1 },
  });
});

it.each([
  ['flow lists', (count: number) => `[${'[],'.repeat(count / 2 - 1)}]`],
  ['keys', (count: number) => 'a:\n'.repeat(count / 2)],
  ['the strings of a block', (count: number) => `a: |\n${' ,,,,\n'.repeat(count / 5)}`],
])('a document of %s with too much structure is not parsed', (_, text) => {
  const found = parseManifest(`kind: x\n---\n${text(400_100)}`, []);
  expect(found).toMatchObject({ ok: false, reason: 'A document is too long: split it.' });
  expect(found.ok ? undefined : (found.position?.line ?? 0) > 2).toBe(true);
});

describe('a document that is too long to be parsed', () => {
  const long = (head: string): string => `${head}data:\n${'  a: |\n    [,,,,,,,,]\n'.repeat(40_000)}`;
  const configMap = long('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: big }\n');
  const around = (text: string): string => `${namespace('a')}---\n${text}---\n${namespace('b')}`;

  it('is named and left out when its kind is not read, and hides no neighbour', () => {
    const found = parseManifest(around(configMap), []);
    expect(found.ok && found.objects.map(({ content }) => 'key' in content && content.key)).toEqual(['a', 'b']);
    expect(found.ok && found.diagnostics).toEqual([
      {
        severity: 'warning',
        position: { line: namespace('a').split('\n').length, column: 4 },
        object: undefined,
        field: '',
        message: 'This document is too long to be parsed, and left out: its kind "ConfigMap" is not read.',
      },
    ]);
    const last = found.ok ? found.objects.at(-1)?.position.line : undefined;
    expect(last).toBe(around(configMap).split('\n').length - namespace('b').split('\n').length + 1);
  });

  it.each([
    ['its kind is one that is read', 'apiVersion: v1\nkind: Service\n'],
    ['it is a list, which may have any', 'apiVersion: v1\nkind: List\n'],
    ['it is nearly a kind that is read', 'apiVersion: gateway.kgateway.dev/v1alpha1\nkind: MCPAuthPolcy\n'],
    ['its kind stands there twice', 'apiVersion: v1\nkind: ConfigMap\nkind: Service\n'],
    ['its kind may stand there again, in quotes', 'apiVersion: v1\nkind: ConfigMap\n"kind": Service\n'],
    ['its kind may come of a merge', '<<: *service\napiVersion: v1\nkind: ConfigMap\n'],
    ['another one may begin behind its end', 'apiVersion: v1\nkind: ConfigMap\n...\n  kind: Service\n'],
    ['it begins beside its marker', '{}\napiVersion: v1\nkind: ConfigMap\n'],
    ['it has no kind', 'apiVersion: v1\n'],
  ])('invalidates the file when %s', (_, head) => {
    expect(parseManifest(around(long(head)), [])).toMatchObject({
      ok: false,
      reason: 'A document is too long: split it.',
    });
  });

  it('does not end at a marker before a blank that is none in YAML', () => {
    const half = '#\n'.repeat(250_000);
    expect(parseManifest(`${half}---\u00a0x: 1\n${half}`, [])).toMatchObject({
      ok: false,
      reason: 'A document is too long: split it.',
    });
  });

  it('is one also when its lines begin like a marker', () => {
    expect(parseManifest(`${'---x: [a, b]\n'.repeat(150_000)}`, [])).toMatchObject({ ok: false });
  });
});

it('documents of a file are counted one by one', () => {
  const text = `---\n# ${','.repeat(1_000)}\n`.repeat(500);
  expect(parseManifest(text, [])).toMatchObject({ ok: true });
});
