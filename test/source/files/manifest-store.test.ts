import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../src/resources/model.ts';
import type { ManifestFile } from '../../../src/source/files/manifest/manifest-file.ts';
import { parseManifest } from '../../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../../src/source/files/manifest-store.ts';
import type { Batch } from '../../../src/source/model.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';
import { broken, documents, namespaceText, serviceText } from './manifests.ts';

/** A store with the roots `a`, `b`, …, without a file system. */
interface StoreRig {
  readonly store: ManifestStore;
  readonly batches: Batches;
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  write(path: string, text: string, realPath?: string): Batch | undefined;
  remove(path: string): Batch | undefined;
  lose(root: string): Batch | undefined;
  deliver(): Batch | undefined;
  /** The first MCP port of a Service. */
  port(key: string): number | undefined;
  messages(): readonly string[];
}

function createStoreRig(roots: readonly string[] = ['a', 'b'], namespaces: readonly string[] = []): StoreRig {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const batches = createBatches();
  const store = new ManifestStore({ roots, log, counters });
  const file = (path: string, realPath = `/${path}`): ManifestFile => {
    const [root = '', name = ''] = path.split('/');
    return { root: roots.indexOf(root), name, path, realPath };
  };
  const deliver = (): Batch | undefined => {
    const batch = store.takeBatch();
    if (batch !== undefined) batches.deliver(batch);
    return batch;
  };
  return {
    store,
    batches,
    log,
    counters,
    deliver,
    write(path, text, realPath) {
      store.rootFound(file(path).root);
      store.setFile(file(path, realPath), parseManifest(text, namespaces));
      return deliver();
    },
    remove(path) {
      store.deleteFile(file(path));
      return deliver();
    },
    lose(root) {
      store.rootMissing(roots.indexOf(root), 'does not exist');
      return deliver();
    },
    port(key) {
      const resource = batches.resources.get(`Service ${key}`);
      const [port] = resource?.kind === 'Service' ? resource.mcpPorts : [];
      return port?.ok ? port.value.port : undefined;
    },
    messages: () => store.diagnostics().map(({ place, object, message }) => `${place} ${object ?? ''}: ${message}`),
  };
}

/** A store whose roots exist and are empty. */
function createEmptyStore(roots?: readonly string[]): StoreRig {
  const rig = createStoreRig(roots);
  for (const at of (roots ?? ['a', 'b']).keys()) rig.store.rootFound(at);
  rig.deliver();
  return rig;
}

const labels = (rig: StoreRig, name: string): unknown => {
  const resource = rig.batches.resources.get(`Namespace ${name}`);
  return resource?.kind === 'Namespace' ? resource.labels : undefined;
};

describe('the first batch', () => {
  it('is delivered even when it is empty', () => {
    const rig = createStoreRig();
    rig.store.rootFound(0);
    rig.store.rootFound(1);
    expect(rig.deliver()).toEqual({ changes: [], synced: true, unlistedNamespaces: 'named' });
    expect(rig.deliver()).toBeUndefined();
  });

  it('is not synced while a root has never existed, and labels are unknown', () => {
    const rig = createStoreRig();
    rig.store.rootMissing(1, 'does not exist');
    const first = rig.write('a/x.yaml', serviceText('s'));
    expect(first).toMatchObject({ synced: false, unlistedNamespaces: 'unknown' });
    expect(rig.port('default/s')).toBe(80);
    expect(rig.messages()).toEqual([expect.stringMatching(/^b : b does not exist: nothing is served/)]);
    rig.store.rootFound(1);
    expect(rig.deliver()).toEqual({ changes: [], synced: true, unlistedNamespaces: 'named' });
    expect(rig.messages()).toEqual([]);
  });
});

describe('a change', () => {
  it('that decodes to the same resource is none', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', serviceText('s'));
    expect(rig.write('a/x.yaml', `# moved down\n\n${serviceText('s')}`)).toBeUndefined();
    expect(rig.write('a/x.yaml', JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap' }))).toBeDefined();
  });

  it('that moves an object to another file within one batch is none', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', serviceText('s'));
    rig.store.deleteFile({ root: 0, name: 'x.yaml', path: 'a/x.yaml', realPath: '/a/x.yaml' });
    expect(rig.write('a/y.yaml', serviceText('s'))).toBeUndefined();
  });

  it('delivers only the objects that differ', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', documents(serviceText('s'), serviceText('t')));
    const batch = rig.write('a/x.yaml', documents(serviceText('s', 81), serviceText('t'), namespaceText('team')));
    expect(batch?.changes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['Service default/s', 'Namespace team']);
    const gone = rig.write('a/x.yaml', '');
    expect(gone?.changes.map(({ key, resource }) => [key, resource])).toEqual([
      ['default/s', undefined],
      ['default/t', undefined],
      ['team', undefined],
    ]);
  });
});

describe('an invalid file', () => {
  it('keeps its objects until it is valid again, and is reported meanwhile', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', documents(serviceText('s'), serviceText('t')));
    expect(rig.write('a/x.yaml', broken)).toBeUndefined();
    expect(rig.write('a/x.yaml', `${serviceText('s', 81)}---\n${broken}`)).toBeUndefined();
    expect(rig.port('default/s')).toBe(80);
    expect(rig.batches.unlisted).toBe('named');
    expect(rig.messages()).toEqual([expect.stringMatching(/^a\/x\.yaml:\d+:\d+ : .*What the file held before stays/)]);
    rig.write('a/x.yaml', serviceText('s', 81));
    expect([...rig.batches.resources.keys()]).toEqual(['Service default/s']);
    expect(rig.port('default/s')).toBe(81);
    expect(rig.messages()).toEqual([]);
  });

  it('loses its objects when it is deleted', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', serviceText('s'));
    rig.write('a/x.yaml', broken);
    rig.remove('a/x.yaml');
    expect(rig.batches.resources.size).toBe(0);
    expect(rig.messages()).toEqual([]);
    rig.write('a/x.yaml', broken);
    expect(rig.batches.resources.size).toBe(0);
    expect(rig.batches.unlisted).toBe('unknown');
  });

  it('that was never valid makes the labels of unlisted namespaces unknown meanwhile', () => {
    const rig = createEmptyStore();
    expect(rig.write('a/x.yaml', broken)).toEqual({ changes: [], synced: true, unlistedNamespaces: 'unknown' });
    expect(rig.messages()).toEqual([expect.stringContaining('Nothing in the file counts')]);
    expect(rig.write('a/x.yaml', '')).toEqual({ changes: [], synced: true, unlistedNamespaces: 'named' });
    expect(rig.write('a/x.yaml', broken)).toBeUndefined();
  });

  it('does not affect other files', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', broken);
    rig.write('a/y.yaml', serviceText('s'));
    expect(rig.port('default/s')).toBe(80);
  });
});

describe('a root that is missing', () => {
  it('keeps its objects, and is updated when the folder is back', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', serviceText('s'));
    expect(rig.lose('a')).toBeUndefined();
    expect(rig.port('default/s')).toBe(80);
    expect(rig.messages()).toEqual([expect.stringMatching(/^a : a does not exist: what it held stays/)]);
    expect(rig.lose('a')).toBeUndefined();
    rig.write('a/x.yaml', serviceText('s', 81));
    expect(rig.port('default/s')).toBe(81);
    expect(rig.messages()).toEqual([]);
    expect(rig.batches.all.every(({ synced }) => synced)).toBe(true);
  });
});

describe('an object that is defined twice', () => {
  it('has one precedence, whichever copy was read first', () => {
    const copies = [
      ['a/x.yaml', serviceText('s')],
      ['a/y.yaml', `unknown: field\n${serviceText('s')}`],
    ] as const;
    const deliveries = [copies, copies.toReversed()].map((history) => {
      const rig = createEmptyStore();
      for (const [path, text] of history) rig.write(path, text);
      return rig.messages();
    });
    expect(deliveries[0]).toHaveLength(2);
    expect(deliveries[1]).toEqual(deliveries[0]);
  });

  it('is the first copy by root, then by name, then by document', () => {
    const rig = createEmptyStore();
    rig.write('b/a.yaml', documents(serviceText('s', 4), serviceText('s', 5)));
    expect(rig.port('default/s')).toBe(4);
    rig.write('a/z.yaml', serviceText('s', 3));
    expect(rig.port('default/s')).toBe(3);
    rig.write('a/ä.yaml', serviceText('s', 2));
    expect(rig.port('default/s')).toBe(3);
    rig.write('a/Z.yaml', serviceText('s', 1));
    expect(rig.port('default/s')).toBe(1);
    for (const [path, next] of [
      ['a/Z.yaml', 3],
      ['a/z.yaml', 2],
      ['a/ä.yaml', 4],
    ] as const) {
      rig.remove(path);
      expect(rig.port('default/s')).toBe(next);
    }
    rig.write('b/a.yaml', serviceText('s', 5));
    expect(rig.port('default/s')).toBe(5);
    expect(rig.messages()).toEqual([]);
  });

  it('gets an error that names both places, once for each further copy', () => {
    const rig = createEmptyStore();
    rig.write('b/y.yaml', serviceText('s', 2));
    rig.write('a/x.yaml', documents(namespaceText('team'), serviceText('s', 1), serviceText('s', 3)));
    expect(rig.messages()).toEqual([
      expect.stringMatching(/^a\/x\.yaml:17:1 Service default\/s: .* a\/x\.yaml:7:1/),
      expect.stringMatching(/^b\/y\.yaml:1:1 Service default\/s: .* a\/x\.yaml:7:1/),
    ]);
    expect(rig.counters.level('gatehouse_input_errors')).toBe(2);
  });

  it('is the first copy with a readable frame', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', serviceText('s', 1).replace('namespace: default', 'namespace: 5'));
    rig.write('a/y.yaml', 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: 5\n');
    rig.write('b/x.yaml', serviceText('s', 2));
    expect(rig.port('default/s')).toBe(2);
    expect(rig.messages().filter((message) => message.includes('already defined'))).toEqual([]);
  });

  it('gets no error when it is the same file by two paths', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', serviceText('s', 1), '/real.yaml');
    rig.write('b/y.yaml', serviceText('s', 1), '/real.yaml');
    expect(rig.messages()).toEqual([]);
    expect(rig.remove('a/x.yaml')).toBeUndefined();
    rig.remove('b/y.yaml');
    expect(rig.batches.resources.size).toBe(0);
  });
});

describe('a Namespace with an unreadable frame', () => {
  const nameless = 'apiVersion: v1\nkind: Namespace\nmetadata: {labels: {a: b}}\n';
  const frameless =
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: team, namespace: [], labels: {a: b}}\nspec: 5\n'.replace(
      'apiVersion: v1',
      'apiVersion: 1',
    );

  it('has unknown labels as long as the document exists', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', frameless);
    expect(labels(rig, 'team')).toEqual({ known: false });
    expect(rig.batches.unlisted).toBe('named');
    rig.write('a/x.yaml', '');
    expect(labels(rig, 'team')).toBeUndefined();
  });

  it('is replaced by a readable copy, whatever its precedence', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', frameless);
    rig.write('b/x.yaml', namespaceText('team', 'a: c'));
    expect(labels(rig, 'team')).toEqual({
      known: true,
      labels: Object.entries({ a: 'c', 'kubernetes.io/metadata.name': 'team' }),
    });
    rig.remove('b/x.yaml');
    expect(labels(rig, 'team')).toEqual({ known: false });
  });

  it('and without a name makes the labels of all unlisted namespaces unknown', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', nameless);
    rig.write('b/x.yaml', nameless);
    expect(rig.batches.unlisted).toBe('unknown');
    rig.remove('a/x.yaml');
    expect(rig.batches.unlisted).toBe('unknown');
    rig.write('b/x.yaml', broken);
    expect(rig.batches.unlisted).toBe('unknown');
    rig.remove('b/x.yaml');
    expect(rig.batches.unlisted).toBe('named');
  });
});

describe('the log', () => {
  const gone = (rig: StoreRig): number => rig.log.lines.filter(({ message }) => message === 'a problem is gone').length;

  it('has one line when a diagnostic appears and one when it is gone', () => {
    const rig = createEmptyStore();
    rig.write('a/x.yaml', 'kind: 5\n');
    for (const text of ['\nkind: 5\n', '# down\n\n\nkind: 5\n', 'kind: 5\n']) rig.write('a/x.yaml', text);
    expect(rig.log.lines.map(({ level }) => level)).toEqual(['error']);
    expect(rig.log.lines[0]?.fields).toMatchObject({ place: 'a/x.yaml:1:1', field: 'kind' });
    rig.write('a/x.yaml', '');
    expect(rig.log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(gone(rig)).toBe(1);
  });

  it('has no line for a diagnostic that appears and is gone within one batch', () => {
    const rig = createEmptyStore();
    const file: ManifestFile = { root: 0, name: 'x.yaml', path: 'a/x.yaml', realPath: '/a/x.yaml' };
    rig.store.setFile(file, parseManifest('kind: 5\n', []));
    rig.store.setFile(file, parseManifest('', []));
    rig.deliver();
    expect(rig.log.lines).toEqual([]);
  });

  it('does not repeat that a root is missing', () => {
    const rig = createStoreRig();
    rig.lose('a');
    rig.lose('a');
    expect(rig.log.lines.filter(({ message }) => message.startsWith('a does not exist'))).toHaveLength(1);
  });
});

describe('after any sequence of changes', () => {
  type Operation =
    | { readonly do: 'write'; readonly path: string; readonly text: string }
    | { readonly do: 'remove'; readonly path: string }
    | { readonly do: 'lose'; readonly path: string };

  const object = fc.oneof(
    fc
      .record({ name: fc.constantFrom('s', 't'), port: fc.integer({ min: 1, max: 3 }) })
      .map(({ name, port }) => serviceText(name, port)),
    fc.constantFrom(
      namespaceText('team', 'a: b'),
      namespaceText('team', 'a: 5'),
      'apiVersion: 1\nkind: Namespace\nmetadata: {name: team}\n',
    ),
    fc.constantFrom('apiVersion: v1\nkind: Namespace\nmetadata: {}\n', 'kind: 5\n', 'apiVersion: v1\nkind: Service\n'),
  );
  const text = fc.oneof(
    { weight: 4, arbitrary: fc.array(object, { maxLength: 3 }).map((texts) => documents(...texts)) },
    { weight: 1, arbitrary: fc.constant(broken) },
  );
  const path = fc.constantFrom('a/x.yaml', 'a/y.yaml', 'b/x.yaml');
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), path, text }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), path }) },
  );

  /** The text of each file that counts: the last valid one, or the broken one if none was valid. */
  function effective(operations: readonly Operation[]): ReadonlyMap<string, string> {
    const files = new Map<string, string>();
    for (const { path, ...operation } of operations) {
      if (operation.do === 'remove') files.delete(path);
      else if (operation.do === 'write' && (operation.text !== broken || !files.has(path)))
        files.set(path, operation.text);
    }
    return files;
  }

  const sorted = (resources: ReadonlyMap<string, Resource>): readonly (readonly [string, Resource])[] =>
    [...resources].sort(([a], [b]) => (a < b ? -1 : 1));

  it('the store equals a fresh one, except that invalid files keep their objects', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        const lived = createEmptyStore();
        for (const step of operations) {
          if (step.do === 'write') lived.write(step.path, step.text);
          else if (step.do === 'remove') lived.remove(step.path);
          else lived.lose(step.path.slice(0, 1));
        }
        const fresh = createEmptyStore();
        for (const [path, text] of [...effective(operations)].reverse()) fresh.write(path, text);
        expect(sorted(lived.batches.resources)).toEqual(sorted(fresh.batches.resources));
        expect(lived.batches.unlisted).toBe(fresh.batches.unlisted);
      }),
      { numRuns: 200 },
    );
  });
});
