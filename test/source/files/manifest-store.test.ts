import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../src/resources/model.ts';
import type { ManifestFile } from '../../../src/source/files/manifest/manifest-file.ts';
import { ManifestStore } from '../../../src/source/files/manifest-store.ts';
import type { Batch } from '../../../src/source/model.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';
import { broken, documents, namespaceText, serviceText } from './manifests.ts';

/** A world whose folders `a`, `b`, … hold what a test writes; no file system is behind it. */
interface Hand {
  readonly world: ManifestStore;
  readonly batches: Batches;
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  write(path: string, text: string, realPath?: string): Batch | undefined;
  remove(path: string): Batch | undefined;
  lose(root: string): Batch | undefined;
  settle(): Batch | undefined;
  /** The MCP ports of a Service, or what else stands there. */
  port(key: string): number | undefined;
  messages(): readonly string[];
}

function createHand(roots: readonly string[] = ['a', 'b'], namespaces: readonly string[] = []): Hand {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const batches = createBatches();
  const world = new ManifestStore({ roots, namespaces, log, counters });
  const file = (path: string, realPath = `/${path}`): ManifestFile => {
    const [root = '', name = ''] = path.split('/');
    return { root: roots.indexOf(root), name, path, realPath };
  };
  const settle = (): Batch | undefined => {
    const batch = world.takeBatch();
    if (batch !== undefined) batches.deliver(batch);
    return batch;
  };
  return {
    world,
    batches,
    log,
    counters,
    settle,
    write(path, text, realPath) {
      world.rootFound(file(path).root);
      world.setFile(file(path, realPath), { ok: true, text });
      return settle();
    },
    remove(path) {
      world.deleteFile(file(path));
      return settle();
    },
    lose(root) {
      world.rootMissing(roots.indexOf(root), 'does not exist');
      return settle();
    },
    port(key) {
      const resource = batches.resources.get(`Service ${key}`);
      const [port] = resource?.kind === 'Service' ? resource.mcpPorts : [];
      return port?.ok ? port.value.port : undefined;
    },
    messages: () => world.diagnostics().map(({ place, object, message }) => `${place} ${object ?? ''}: ${message}`),
  };
}

/** A world whose roots are there and empty. */
function createEmptyHand(roots?: readonly string[]): Hand {
  const hand = createHand(roots);
  for (const at of (roots ?? ['a', 'b']).keys()) hand.world.rootFound(at);
  hand.settle();
  return hand;
}

const labels = (hand: Hand, name: string): unknown => {
  const resource = hand.batches.resources.get(`Namespace ${name}`);
  return resource?.kind === 'Namespace' ? resource.labels : undefined;
};

describe('the first batch', () => {
  it('comes even when there is nothing', () => {
    const hand = createHand();
    hand.world.rootFound(0);
    hand.world.rootFound(1);
    expect(hand.settle()).toEqual({ changes: [], synced: true, unlistedNamespaces: 'named' });
    expect(hand.settle()).toBeUndefined();
  });

  it('is not synced as long as a root never was there, and knows no labels', () => {
    const hand = createHand();
    hand.world.rootMissing(1, 'does not exist');
    const first = hand.write('a/x.yaml', serviceText('s'));
    expect(first).toMatchObject({ synced: false, unlistedNamespaces: 'unknown' });
    expect(hand.port('default/s')).toBe(80);
    expect(hand.messages()).toEqual([expect.stringMatching(/^b : b does not exist: nothing is served/)]);
    hand.world.rootFound(1);
    expect(hand.settle()).toEqual({ changes: [], synced: true, unlistedNamespaces: 'named' });
    expect(hand.messages()).toEqual([]);
  });
});

describe('a change', () => {
  it('that means the same is none', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', serviceText('s'));
    expect(hand.write('a/x.yaml', `# moved down\n\n${serviceText('s')}`)).toBeUndefined();
    expect(hand.write('a/x.yaml', JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap' }))).toBeDefined();
  });

  it('from one file to another within one batch is none', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', serviceText('s'));
    hand.world.deleteFile({ root: 0, name: 'x.yaml', path: 'a/x.yaml', realPath: '/a/x.yaml' });
    expect(hand.write('a/y.yaml', serviceText('s'))).toBeUndefined();
  });

  it('brings only what is different', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', documents(serviceText('s'), serviceText('t')));
    const batch = hand.write('a/x.yaml', documents(serviceText('s', 81), serviceText('t'), namespaceText('team')));
    expect(batch?.changes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['Service default/s', 'Namespace team']);
    const gone = hand.write('a/x.yaml', '');
    expect(gone?.changes.map(({ key, resource }) => [key, resource])).toEqual([
      ['default/s', undefined],
      ['default/t', undefined],
      ['team', undefined],
    ]);
  });
});

describe('a file that cannot be parsed', () => {
  it('keeps what it held until it parses, and is reported all the while', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', documents(serviceText('s'), serviceText('t')));
    expect(hand.write('a/x.yaml', broken)).toBeUndefined();
    expect(hand.write('a/x.yaml', `${serviceText('s', 81)}---\n${broken}`)).toBeUndefined();
    expect(hand.port('default/s')).toBe(80);
    expect(hand.batches.unlisted).toBe('named');
    expect(hand.messages()).toEqual([expect.stringMatching(/^a\/x\.yaml:\d+:\d+ : .*What the file held before stays/)]);
    hand.write('a/x.yaml', serviceText('s', 81));
    expect([...hand.batches.resources.keys()]).toEqual(['Service default/s']);
    expect(hand.port('default/s')).toBe(81);
    expect(hand.messages()).toEqual([]);
  });

  it('loses what it held when it is deleted', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', serviceText('s'));
    hand.write('a/x.yaml', broken);
    hand.remove('a/x.yaml');
    expect(hand.batches.resources.size).toBe(0);
    expect(hand.messages()).toEqual([]);
    hand.write('a/x.yaml', broken);
    expect(hand.batches.resources.size).toBe(0);
    expect(hand.batches.unlisted).toBe('unknown');
  });

  it('and never did makes the labels of unlisted namespaces unknown, for the time being', () => {
    const hand = createEmptyHand();
    expect(hand.write('a/x.yaml', broken)).toEqual({ changes: [], synced: true, unlistedNamespaces: 'unknown' });
    expect(hand.messages()).toEqual([expect.stringContaining('Nothing in the file counts')]);
    expect(hand.write('a/x.yaml', '')).toEqual({ changes: [], synced: true, unlistedNamespaces: 'named' });
    expect(hand.write('a/x.yaml', broken)).toBeUndefined();
  });

  it('does not touch its neighbours', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', broken);
    hand.write('a/y.yaml', serviceText('s'));
    expect(hand.port('default/s')).toBe(80);
  });
});

describe('a root that is gone', () => {
  it('keeps what it held, and takes up where the folder is when it is back', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', serviceText('s'));
    expect(hand.lose('a')).toBeUndefined();
    expect(hand.port('default/s')).toBe(80);
    expect(hand.messages()).toEqual([expect.stringMatching(/^a : a does not exist: what it held stays/)]);
    expect(hand.lose('a')).toBeUndefined();
    hand.write('a/x.yaml', serviceText('s', 81));
    expect(hand.port('default/s')).toBe(81);
    expect(hand.messages()).toEqual([]);
    expect(hand.batches.all.every(({ synced }) => synced)).toBe(true);
  });
});

describe('the same object twice', () => {
  it('is told of in one order, whichever copy was read first', () => {
    const copies = [
      ['a/x.yaml', serviceText('s')],
      ['a/y.yaml', `unknown: field\n${serviceText('s')}`],
    ] as const;
    const told = [copies, copies.toReversed()].map((history) => {
      const hand = createEmptyHand();
      for (const [path, text] of history) hand.write(path, text);
      return hand.messages();
    });
    expect(told[0]).toHaveLength(2);
    expect(told[1]).toEqual(told[0]);
  });

  it('is the first copy in the order of the roots, then of the names, then of the documents', () => {
    const hand = createEmptyHand();
    hand.write('b/a.yaml', documents(serviceText('s', 4), serviceText('s', 5)));
    expect(hand.port('default/s')).toBe(4);
    hand.write('a/z.yaml', serviceText('s', 3));
    expect(hand.port('default/s')).toBe(3);
    hand.write('a/ä.yaml', serviceText('s', 2));
    expect(hand.port('default/s')).toBe(3);
    hand.write('a/Z.yaml', serviceText('s', 1));
    expect(hand.port('default/s')).toBe(1);
    for (const [path, next] of [
      ['a/Z.yaml', 3],
      ['a/z.yaml', 2],
      ['a/ä.yaml', 4],
    ] as const) {
      hand.remove(path);
      expect(hand.port('default/s')).toBe(next);
    }
    hand.write('b/a.yaml', serviceText('s', 5));
    expect(hand.port('default/s')).toBe(5);
    expect(hand.messages()).toEqual([]);
  });

  it('is an error that names both places, once for each copy too many', () => {
    const hand = createEmptyHand();
    hand.write('b/y.yaml', serviceText('s', 2));
    hand.write('a/x.yaml', documents(namespaceText('team'), serviceText('s', 1), serviceText('s', 3)));
    expect(hand.messages()).toEqual([
      expect.stringMatching(/^a\/x\.yaml:17:1 Service default\/s: .* a\/x\.yaml:7:1/),
      expect.stringMatching(/^b\/y\.yaml:1:1 Service default\/s: .* a\/x\.yaml:7:1/),
    ]);
    expect(hand.counters.level('gatehouse_input_errors')).toBe(2);
  });

  it('counts only copies with a readable frame', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', serviceText('s', 1).replace('namespace: default', 'namespace: 5'));
    hand.write('a/y.yaml', 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: 5\n');
    hand.write('b/x.yaml', serviceText('s', 2));
    expect(hand.port('default/s')).toBe(2);
    expect(hand.messages().filter((message) => message.includes('already defined'))).toEqual([]);
  });

  it('is no error when it is the same file on two ways', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', serviceText('s', 1), '/real.yaml');
    hand.write('b/y.yaml', serviceText('s', 1), '/real.yaml');
    expect(hand.messages()).toEqual([]);
    expect(hand.remove('a/x.yaml')).toBeUndefined();
    hand.remove('b/y.yaml');
    expect(hand.batches.resources.size).toBe(0);
  });
});

describe('a Namespace with an unreadable frame', () => {
  const nameless = 'apiVersion: v1\nkind: Namespace\nmetadata: {labels: {a: b}}\n';
  const frameless =
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: team, namespace: [], labels: {a: b}}\nspec: 5\n'.replace(
      'apiVersion: v1',
      'apiVersion: 1',
    );

  it('has labels that nobody knows, as long as the document is there', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', frameless);
    expect(labels(hand, 'team')).toEqual({ known: false });
    expect(hand.batches.unlisted).toBe('named');
    hand.write('a/x.yaml', '');
    expect(labels(hand, 'team')).toBeUndefined();
  });

  it('gives way to a readable copy, wherever that is', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', frameless);
    hand.write('b/x.yaml', namespaceText('team', 'a: c'));
    expect(labels(hand, 'team')).toEqual({ known: true, labels: { a: 'c', 'kubernetes.io/metadata.name': 'team' } });
    hand.remove('b/x.yaml');
    expect(labels(hand, 'team')).toEqual({ known: false });
  });

  it('and without a name makes the labels of all unlisted namespaces unknown, as long as the document is there', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', nameless);
    hand.write('b/x.yaml', nameless);
    expect(hand.batches.unlisted).toBe('unknown');
    hand.remove('a/x.yaml');
    expect(hand.batches.unlisted).toBe('unknown');
    hand.write('b/x.yaml', broken);
    expect(hand.batches.unlisted).toBe('unknown');
    hand.remove('b/x.yaml');
    expect(hand.batches.unlisted).toBe('named');
  });
});

describe('the log', () => {
  const gone = (hand: Hand): number => hand.log.lines.filter(({ message }) => message === 'a problem is gone').length;

  it('has one line for a problem that appears and one when it is gone', () => {
    const hand = createEmptyHand();
    hand.write('a/x.yaml', 'kind: 5\n');
    for (const text of ['\nkind: 5\n', '# down\n\n\nkind: 5\n', 'kind: 5\n']) hand.write('a/x.yaml', text);
    expect(hand.log.lines.map(({ level }) => level)).toEqual(['error']);
    expect(hand.log.lines[0]?.fields).toMatchObject({ place: 'a/x.yaml:1:1', field: 'kind' });
    hand.write('a/x.yaml', '');
    expect(hand.log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(gone(hand)).toBe(1);
  });

  it('tells nothing of what came and went within one batch', () => {
    const hand = createEmptyHand();
    const file: ManifestFile = { root: 0, name: 'x.yaml', path: 'a/x.yaml', realPath: '/a/x.yaml' };
    hand.world.setFile(file, { ok: true, text: 'kind: 5\n' });
    hand.world.setFile(file, { ok: true, text: '' });
    hand.settle();
    expect(hand.log.lines).toEqual([]);
  });

  it('does not repeat that a root is missing', () => {
    const hand = createHand();
    hand.lose('a');
    hand.lose('a');
    expect(hand.log.lines.filter(({ message }) => message.startsWith('a does not exist'))).toHaveLength(1);
  });
});

describe('whatever happens to the files', () => {
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

  /** What counts of each file: its last text that parsed, or the broken one that always was. */
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

  it('the world is the one that a fresh source finds, but for the memory of what cannot be parsed', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        const lived = createEmptyHand();
        for (const step of operations) {
          if (step.do === 'write') lived.write(step.path, step.text);
          else if (step.do === 'remove') lived.remove(step.path);
          else lived.lose(step.path.slice(0, 1));
        }
        const fresh = createEmptyHand();
        for (const [path, text] of [...effective(operations)].reverse()) fresh.write(path, text);
        expect(sorted(lived.batches.resources)).toEqual(sorted(fresh.batches.resources));
        expect(lived.batches.unlisted).toBe(fresh.batches.unlisted);
      }),
      { numRuns: 200 },
    );
  });
});
