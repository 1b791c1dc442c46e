import { describe, expect, it } from 'vitest';
import type { ManifestFile } from '../../../src/source/files/manifest/manifest-file.ts';
import { parseManifest } from '../../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../../src/source/files/manifest-store.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { documents, namespaceText, serviceText } from './manifests.ts';

/** A store of one empty root, and what it takes of files. */
function createStore() {
  const store = new ManifestStore({ roots: ['r'], log: createRecordedLog(), counters: createRecordedCounters() });
  store.rootFound(0);
  store.takeBatch();
  const file = (name: string): ManifestFile => ({ root: 0, name, path: `r/${name}`, realPath: `/r/${name}` });
  return {
    write(name: string, ...texts: readonly string[]) {
      store.setFile(file(name), parseManifest(documents(...texts), []));
      return store.takeBatch()?.changes ?? [];
    },
    remove(name: string) {
      store.deleteFile(file(name));
      return store.takeBatch()?.changes ?? [];
    },
    /** Reads a file that was parsed later than those that were saved with it. */
    writeAlone(name: string, ...texts: readonly string[]) {
      for (const _ of this.inPieces(name, ...texts));
    },
    maySetInPieces: () => store.maySetInPieces,
    /** The same, in pieces. */
    inPieces(name: string, ...texts: readonly string[]): Generator<void> {
      const manifest = parseManifest(documents(...texts), []);
      const objects = store.objectsOf(file(name));
      if (manifest.ok) objects.add(manifest.objects);
      return store.setObjectsInPieces(objects, []);
    },
    /** Writes files that are saved together. */
    writeTogether(files: Readonly<Record<string, string>>) {
      for (const [name, text] of Object.entries(files)) store.setFile(file(name), parseManifest(text, []));
    },
    /** The files of each batch, with its objects. */
    batches: () =>
      store
        .takeBatches()
        .map(({ files, changes }) => [
          files === 'all' ? files : [...files].map((key) => key.slice('0/'.length)).join(),
          changes.map(({ key }) => key.slice('default/'.length)).join(),
        ]),
    steps: () => store.takeInSteps(),
    take: () => store.takeBatch()?.changes ?? [],
    problems: () => store.diagnostics().map(({ place }) => place),
  };
}

const times = (count: number, text: string): readonly string[] => Array<string>(count).fill(text);

describe('an object with very many copies', () => {
  it('has an error for ten of a file and a hundred in all', () => {
    const store = createStore();
    store.write('a', ...times(200, serviceText('s')));
    expect(store.problems()).toHaveLength(9);
    for (let at = 0; at < 15; at += 1) store.write(`b${at}`, ...times(20, serviceText('s')));
    expect(store.problems()).toHaveLength(100);
    for (let at = 0; at < 15; at += 1) expect(store.remove(`b${at}`)).toEqual([]);
    expect(store.problems()).toHaveLength(9);
    expect(store.write('a', serviceText('s'))).toEqual([]);
    expect(store.problems()).toEqual([]);
  });

  it('is the first readable one, also behind others', () => {
    const store = createStore();
    const unreadable = 'apiVersion: 1\nkind: Namespace\nmetadata: {name: team}\n';
    const [change] = store.write('a', ...times(50, unreadable), namespaceText('team', 'a: b'));
    expect(change?.resource).toMatchObject({ kind: 'Namespace', labels: { known: true } });
  });
});

describe('a file that is written anew', () => {
  it('has its objects take their new place, and changes only those that differ', () => {
    const store = createStore();
    store.write('a', serviceText('s'), serviceText('t'), serviceText('u'));
    store.write('b', serviceText('t'));
    expect(store.problems()).toEqual(['r/b:1:1']);
    const changes = store.write('a', '# more', serviceText('s'), serviceText('t'), serviceText('u', 81));
    expect(changes.map(({ key }) => key)).toEqual(['default/u']);
    store.write('b');
    expect(store.remove('a').map(({ key }) => key)).toEqual(['default/s', 'default/t', 'default/u']);
  });
});

describe('what changed together', () => {
  it('is one batch, and each file that was parsed later another one', () => {
    const store = createStore();
    store.writeTogether({ a: serviceText('a'), b: serviceText('b') });
    store.writeAlone('c', serviceText('c'), serviceText('d'));
    store.writeAlone('e', serviceText('e'));
    expect(store.batches()).toEqual([
      ['c', 'c,d'],
      ['e', 'e'],
      ['a,b', 'a,b'],
    ]);
    store.writeAlone('c', serviceText('c'), serviceText('d'));
    expect(store.batches()).toEqual([]);
  });

  it('is one batch of all files when two of them have an object in common', () => {
    const store = createStore();
    store.writeTogether({ a: serviceText('s') });
    store.writeAlone('b', serviceText('t'));
    store.writeAlone('c', serviceText('s', 81), serviceText('u'));
    expect(store.batches()).toEqual([['all', 't,s,u']]);
  });

  it('is one batch of all files when other objects count because of it', () => {
    const store = createStore();
    store.writeTogether({ a: serviceText('a'), broken: '"' });
    expect(store.batches()).toEqual([['all', 'a']]);
    store.writeAlone('z', serviceText('z'));
    store.writeTogether({ broken: '' });
    expect(store.batches()).toEqual([['all', 'z']]);
  });
});

const services = (count: number, port = 80): readonly string[] =>
  Array.from({ length: count }, (_, at) => serviceText(`s${at}`, port));
/** The files of each batch, and the number of its objects. */
const counted = (store: ReturnType<typeof createStore>): readonly string[] =>
  store.batches().map(([files, keys = '']) => `${files}: ${keys.split(',').length}`);

describe('a file whose objects are set in pieces', () => {
  it('takes 250 in a turn, and counts with the last of them', () => {
    const store = createStore();
    const pieces = store.inPieces('a', ...services(625));
    for (let piece = 1; piece <= 3; piece += 1) {
      expect(pieces.next().done).toBe(false);
      expect(store.batches()).toEqual([]);
    }
    expect(pieces.next().done).toBe(true);
    expect(counted(store)).toEqual(['a: 625']);
  });

  it('lets others go between its pieces, which are taken at once', () => {
    const store = createStore();
    store.writeAlone('a', ...services(300));
    store.batches();
    const pieces = store.inPieces('a', ...services(300, 81));
    pieces.next();
    store.writeTogether({ b: serviceText('other') });
    expect(store.batches()).toEqual([['b', 'other']]);
    for (const _ of pieces);
    expect(counted(store)).toEqual(['a: 300']);
  });

  it('keeps others that have an object in common until its end, also when it is that of a later piece', () => {
    for (const common of ['s0', 's299']) {
      const store = createStore();
      const pieces = store.inPieces('b', ...services(300));
      pieces.next();
      store.writeTogether({ a: serviceText(common, 82), c: serviceText('other') });
      pieces.next();
      expect(store.batches()).toEqual([]);
      for (const _ of pieces);
      expect(counted(store)).toEqual([`all: ${common === 's0' ? 302 : 301}`]);
      store.remove('a');
      expect(store.problems()).toEqual([]);
    }
  });
});

describe('what goes on between the pieces of a file', () => {
  it('waits for the end of others that are mixed, so that none of them waits for one file after the other', () => {
    const store = createStore();
    const first = store.inPieces('b', ...services(300));
    first.next();
    store.writeTogether({ a: serviceText('s0', 82) });
    for (const _ of first);
    expect(store.maySetInPieces()).toBe(false);
    expect(counted(store)).toEqual(['all: 301']);
    expect(store.maySetInPieces()).toBe(true);
    store.writeAlone('c', serviceText('t'));
    expect(store.batches()).toEqual([['c', 't']]);
  });

  it('is gone with all of its objects when it is deleted between two pieces', () => {
    const store = createStore();
    store.writeAlone('a', ...services(350));
    store.batches();
    const pieces = store.inPieces('a', ...services(300, 81), serviceText('new'));
    pieces.next();
    expect(store.remove('a')).toEqual([]);
    pieces.return(undefined);
    const gone = new Set(store.take().flatMap(({ key, resource }) => (resource === undefined ? [key] : [])));
    expect(gone.size).toBe(350);
    expect(store.write('b', ...services(1, 81))).toHaveLength(1);
    expect(store.problems()).toEqual([]);
  });

  it('says with each piece which of its objects do not count', () => {
    const store = createStore();
    store.write('a', ...services(300));
    const pieces = store.inPieces('b', ...services(300));
    pieces.next();
    expect(store.problems()).toHaveLength(250);
    for (const _ of pieces);
    expect(store.problems()).toHaveLength(300);
  });
});

describe('many objects that changed together', () => {
  it('are taken 250 at a time, with what changes of their files meanwhile', () => {
    const store = createStore();
    store.write('a', ...services(600));
    store.writeTogether({ a: '' });
    const steps = store.steps();
    expect(steps.next().done).toBe(false);
    store.writeTogether({ a: serviceText('s0'), b: serviceText('other') });
    expect(steps.next().done).toBe(false);
    const end = steps.next();
    const changes = end.done === true ? end.value.flatMap((batch) => batch.changes) : [];
    const last = new Map(changes.map(({ key, resource }) => [key, resource !== undefined]));
    expect(last.size).toBe(601);
    expect([...last].flatMap(([key, exists]) => (exists ? [key] : []))).toEqual(['default/s0', 'default/other']);
    expect(store.batches()).toEqual([]);
  });

  it('hold up no later file once their taking was ended', () => {
    const store = createStore();
    store.write('a', ...services(600));
    store.writeTogether({ a: '' });
    const steps = store.steps();
    steps.next();
    expect(store.maySetInPieces()).toBe(false);
    steps.return([]);
    expect(store.maySetInPieces()).toBe(true);
  });

  it('are taken before a later file is, and after one that is being set', () => {
    const store = createStore();
    store.write('a', ...services(600));
    const first = store.inPieces('b', serviceText('t'));
    first.next();
    store.writeTogether({ a: '' });
    expect(store.batches()).toEqual([]);
    for (const _ of first);
    const steps = store.steps();
    steps.next();
    expect(store.maySetInPieces()).toBe(false);
    while (steps.next().done !== true);
    expect(store.maySetInPieces()).toBe(true);
    store.writeAlone('c', serviceText('u'));
    expect(store.batches()).toEqual([['c', 'u']]);
  });
});
