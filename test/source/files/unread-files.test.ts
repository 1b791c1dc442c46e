import { describe, expect, it } from 'vitest';
import type { MCPAuthPolicy, Resource } from '../../../src/resources/model.ts';
import { parseManifest } from '../../../src/source/files/manifest/parse-manifest.ts';
import type { PossibleObjects } from '../../../src/source/files/manifest/possible-objects.ts';
import { ManifestStore } from '../../../src/source/files/manifest-store.ts';
import { UnreadFiles } from '../../../src/source/files/unread-files.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';
import { documents, namespaceText, serviceText } from './manifests.ts';

interface Rig {
  readonly batches: Batches;
  /** Puts files into the store, and delivers one batch. `unread`: a file whose words are not known. */
  write(files: Readonly<Record<string, string | typeof unread>>): void;
  remove(name: string): void;
  leaveOut(name: string): void;
  /** The file is being parsed, which may take seconds. */
  awaited(name: string): void;
  policy(key: string): MCPAuthPolicy | undefined;
  messages(): readonly string[];
}

const unread = Symbol('unread');
const unreadable = { ok: false, position: undefined, reason: 'The file cannot be read.', possible: 'any' } as const;

function createRig(files: Readonly<Record<string, string | typeof unread>> = {}): Rig {
  const store = new ManifestStore({ roots: ['r'], log: createRecordedLog(), counters: createRecordedCounters() });
  const batches = createBatches();
  const fileOf = (name: string) => ({ root: 0, name, path: `r/${name}`, realPath: `/r/${name}` });
  const deliver = (): void => {
    const batch = store.takeBatch();
    if (batch !== undefined) batches.deliver(batch);
  };
  store.rootFound(0);
  const rig: Rig = {
    batches,
    write(texts) {
      for (const [name, text] of Object.entries(texts))
        store.setFile(fileOf(name), text === unread ? unreadable : parseManifest(String(text), []));
      deliver();
    },
    remove(name) {
      store.deleteFile(fileOf(name));
      deliver();
    },
    awaited(name) {
      store.awaitFile(fileOf(name));
      deliver();
    },
    leaveOut(name) {
      store.leaveOut(fileOf(name));
      deliver();
    },
    policy(key) {
      const resource = batches.resources.get(`MCPAuthPolicy ${key}`);
      return resource?.kind === 'MCPAuthPolicy' ? resource : undefined;
    },
    messages: () => store.diagnostics().map(({ place, object, message }) => `${place} ${object ?? ''}: ${message}`),
  };
  rig.write(files);
  return rig;
}

function policyText(name: string, more = '', gateway = 'g'): string {
  return `apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: {name: ${name}, namespace: default}
spec:
  targetRefs: [{kind: Gateway, name: ${gateway}}]
  rules:
  - resource: {kind: tool, name: "*"}
    matches: [{type: JWT, jwt: {claim: sub, value: a}}]
${more}`;
}

const signers = `  jwt: {providers: [{issuer: https://lab.example.com, audiences: [], jwks: {inline: '{"keys":[]}'}}]}\n`;
const damaged = (text: string): string => `${text}oops: [\n`;

describe('a file that cannot be read at the start', () => {
  it('lets no later definition of an object count that it may define, and says so', () => {
    const files = { 'a.yaml': damaged(policyText('p')), 'b.yaml': documents(policyText('p'), serviceText('s')) };
    const rig = createRig(files);
    expect(rig.policy('default/p')?.rules).toEqual({ ok: false, reason: expect.stringContaining('r/a.yaml') });
    expect(rig.batches.resources.has('Service default/s')).toBe(true);
    expect(rig.messages()).toEqual([
      expect.stringMatching(/^r\/a\.yaml:\d+:\d+ : .* Nothing in the file counts/),
      expect.stringMatching(
        /^r\/b\.yaml:1:1 MCPAuthPolicy default\/p: The object does not count, because r\/a\.yaml, which comes before/,
      ),
    ]);
    rig.write({ 'a.yaml': serviceText('other') });
    expect(rig.policy('default/p')?.rules.ok).toBe(true);
    expect(rig.messages()).toEqual([]);
  });

  it.each<[string, string, string, unknown]>([
    ['Service', serviceText('s'), 'Service default/s', undefined],
    ['Namespace', namespaceText('ns', 'a: b'), 'Namespace ns', { labels: { known: false } }],
  ])('hides a %s that may be in it', (_, text, id, expected) => {
    const rig = createRig({ 'a.yaml': damaged(text), 'b.yaml': text });
    const resource = rig.batches.resources.get(id);
    if (expected === undefined) expect(resource).toBeUndefined();
    else expect(resource).toMatchObject(expected as object);
    rig.remove('a.yaml');
    expect(rig.batches.resources.get(id)).toBeDefined();
    expect(rig.batches.resources.get(id)).not.toMatchObject({ labels: { known: false } });
  });

  it('hides nothing of a file before it', () => {
    const rig = createRig({ 'a.yaml': policyText('p'), 'b.yaml': damaged(policyText('p')) });
    expect(rig.policy('default/p')?.rules.ok).toBe(true);
  });

  it('may define anything when its words are not known', () => {
    const rig = createRig({ 'a.yaml': unread, 'b.yaml': documents(policyText('p', signers), serviceText('s')) });
    expect(rig.policy('default/p')).toMatchObject({ rules: { ok: false }, jwt: { ok: false } });
    expect(rig.batches.resources.has('Service default/s')).toBe(false);
    expect(rig.batches).toMatchObject({ synced: true, unlisted: 'unknown' });
  });

  it('may define anything when there are too many such files to compare their words', () => {
    const many = Array.from({ length: 65 }, (_, at) => [`a${at}.yaml`, damaged(serviceText('other'))] as const);
    const rig = createRig({ ...Object.fromEntries(many), 'b.yaml': serviceText('s') });
    expect(rig.batches.resources.has('Service default/s')).toBe(false);
    rig.remove('a0.yaml');
    rig.remove('a64.yaml');
    expect(rig.batches.resources.has('Service default/s')).toBe(true);
  });
});

describe('a file that appears and cannot be read', () => {
  it('takes nothing away from what counts, and lets nothing else come to count', () => {
    const rig = createRig({ 'b.yaml': policyText('p'), 'c.yaml': serviceText('s', 1) });
    rig.write({ 'a.yaml': unread });
    expect(rig.policy('default/p')?.rules.ok).toBe(true);
    rig.write({ 'b.yaml': documents(policyText('p'), policyText('new')), 'c.yaml': serviceText('s', 2) });
    expect(rig.policy('default/p')?.rules.ok).toBe(true);
    expect(rig.policy('default/new')?.rules.ok).toBe(false);
    expect(rig.batches.resources.get('Service default/s')).toMatchObject({ mcpPorts: [{ value: { port: 2 } }] });
  });

  it('lets no copy come to count in place of one that counted, also when it took the name of that file', () => {
    const rig = createRig({ 'a.yaml': serviceText('s', 1), 'b.yaml': serviceText('s', 2) });
    rig.write({ 'a.yaml': unread });
    expect(rig.batches.resources.get('Service default/s')).toMatchObject({ mcpPorts: [{ value: { port: 1 } }] });
    rig.remove('a.yaml');
    rig.write({ 'a.yaml': unread });
    rig.write({ 'b.yaml': documents(namespaceText('n'), serviceText('s', 2)) });
    // The deletion of the file was one of the object in it, for which the other copy counted since.
    expect(rig.batches.resources.get('Service default/s')).toMatchObject({ mcpPorts: [{ value: { port: 2 } }] });
    rig.write({ '0.yaml': unread, 'a.yaml': '', 'b.yaml': '', 'c.yaml': serviceText('s', 2) });
    expect(rig.batches.resources.has('Service default/s')).toBe(false);
  });
});

describe('who signs tokens', () => {
  it('is nobody at the Gateways for which an unread file may say it, wherever the file stands', () => {
    const rig = createRig({ 'b.yaml': documents(policyText('lab', signers), policyText('far', signers, 'h')) });
    expect(rig.policy('default/lab')?.jwt?.ok).toBe(true);
    rig.write({ 'c.yaml': damaged(policyText('corp', signers)) });
    expect(rig.policy('default/lab')).toMatchObject({ rules: { ok: true }, jwt: { ok: false } });
    expect(rig.policy('default/far')?.jwt?.ok).toBe(true);
    const message = /MCPAuthPolicy default\/lab: spec\.jwt does not count, because r\/c\.yaml is not read/;
    expect(rig.messages().filter((text) => message.test(text))).toHaveLength(1);
    rig.write({ 'c.yaml': policyText('corp') });
    expect(rig.policy('default/lab')?.jwt?.ok).toBe(true);
    expect(rig.messages().filter((text) => text.includes('c.yaml'))).toEqual([]);
  });

  it('stays as it is beside a file that has other policies only', () => {
    const rig = createRig({ 'b.yaml': policyText('lab', signers) });
    rig.write({ 'c.yaml': damaged(policyText('other')), 'd.yaml': damaged(serviceText('g')) });
    expect(rig.policy('default/lab')?.jwt?.ok).toBe(true);
  });

  it('is nobody as long as a file has no room, and known again once it has been read', () => {
    const rig = createRig({ 'b.yaml': policyText('lab', signers) });
    rig.leaveOut('c.yaml');
    rig.awaited('c.yaml');
    expect(rig.policy('default/lab')?.jwt?.ok).toBe(false);
    expect(rig.batches.unlisted).toBe('unknown');
    rig.write({ 'c.yaml': '' });
    expect(rig.policy('default/lab')?.jwt?.ok).toBe(true);
    expect(rig.batches.unlisted).toBe('named');
  });
});

describe('many files that cannot be read', () => {
  const named = (...words: readonly string[]): PossibleObjects => ({
    names: new Map([['Namespace', new Set(words)]]),
    signed: new Set(),
  });
  const namespace = (name: string): Resource => ({
    kind: 'Namespace',
    metadata: { namespace: '', name, generation: undefined },
    labels: { known: false },
  });
  /** Counts how often a file is compared with others. */
  const counted = { compared: 0 };
  const fileOf = (name: string) => ({
    root: 0,
    get name() {
      counted.compared += 1;
      return name;
    },
    path: `r/${name}`,
    realPath: `/r/${name}`,
  });

  it('cost an object a look at the first of them, which alone decides', () => {
    const files = new UnreadFiles();
    for (let at = 1_000; at > 0; at -= 1) files.add(fileOf(`f${1_000 + at}`), at % 2 === 0 ? 'any' : named('other'));
    expect(files.takeChanged()).toBe(true);
    counted.compared = 0;
    for (let at = 0; at < 1_000; at += 1) expect(files.before(fileOf('e'), namespace('s'))).toBeUndefined();
    expect(files.before(fileOf('g'), namespace('s'))).toBe('r/f1001');
    expect(counted.compared).toBeLessThan(10_000);
  });

  it('are no reason to look at objects again when one is added or gone that does not come first', () => {
    const files = new UnreadFiles();
    for (let at = 100; at < 200; at += 1) files.add(fileOf(`f${at}`), named('other'));
    expect([files.takeChanged(), files.takeChanged()]).toEqual([true, false]);
    files.add(fileOf('f300'), 'any');
    files.delete(fileOf('f101'));
    expect(files.takeChanged()).toBe(false);
    files.delete(fileOf('f100'));
    expect(files.takeChanged()).toBe(true);
    files.add(fileOf('f100'), named('other'));
    expect(files.takeChanged()).toBe(true);
    for (let at = 100; at < 140; at += 1) files.delete(fileOf(`f${at}`));
    expect(files.takeChanged()).toBe(true);
  });

  it('may define anything when their words take more bytes than are kept', () => {
    const files = new UnreadFiles();
    const words = Array.from({ length: 5_000 }, (_, at) => `${at}`.padEnd(253, 'x'));
    for (let at = 10; at < 20; at += 1) files.add(fileOf(`f${at}`), named(...words));
    expect(files.before(fileOf('g'), namespace('s'))).toBeUndefined();
    for (let at = 20; at < 30; at += 1) files.add(fileOf(`f${at}`), named(...words));
    expect(files.before(fileOf('g'), namespace('s'))).toBe('r/f10');
    for (let at = 20; at < 30; at += 1) files.delete(fileOf(`f${at}`));
    expect(files.before(fileOf('g'), namespace('s'))).toBeUndefined();
    expect(files.before(fileOf('g'), namespace(words[0] ?? ''))).toBe('r/f10');
  });
});
