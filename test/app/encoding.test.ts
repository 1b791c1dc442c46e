import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import { changeOf } from '../../src/source/resource-change.ts';
import { agentgateway } from '../../src/wire/wire.ts';
import { createRecordedCounters, type RecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { isSubject, mcpClass, mcpGateway, mcpService, policyWith } from '../support/worlds/manifests.ts';
import { defaultSettings, readManifest } from '../support/worlds/translated-world.ts';

const { typeUrl } = agentgateway.resourceType;

let counters: RecordedCounters;
let pipeline: Pipeline;

/** Applies manifests as one commit; returns the number of encoded resources of agentgateway's dialect. */
function apply(...documents: readonly string[]): number {
  const changes = documents.map((text) => {
    const { kind, key, resource } = readManifest(parse(text));
    return changeOf(kind, key, resource);
  });
  return pipeline.deliver({ changes, unlistedNamespaces: 'named', synced: true }).encoded.get(typeUrl) ?? 0;
}

const policyOf = (subject: string): string =>
  policyWith(
    'default/p',
    '[{ name: one }, { name: two }]',
    `[{ matches: [${isSubject(subject)}], resource: { kind: tool, name: "*" } }]`,
  );

/** What the graph has of agentgateway's dialect, and how often it transformed something for it, by collection. */
function runs(): Readonly<Record<string, number>> {
  const own = pipeline.graph.dump().filter(({ name }) => name.startsWith('agentgateway/'));
  return Object.fromEntries(own.map(({ name, runs }) => [name, runs]));
}

/** The collections that transformed something since an earlier moment. */
function runsSince(before: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const differences = Object.entries(runs()).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(differences.filter(([, count]) => count > 0));
}

beforeEach(() => {
  counters = createRecordedCounters();
  pipeline = createPipeline(defaultSettings, { log: createRecordedLog(), counters });
  const services = Array.from({ length: 20 }, (_, n) => mcpService(`ns-${n % 4}/tool-${n}`));
  apply(mcpClass, mcpGateway('default/one'), mcpGateway('default/two'), policyOf('me'), ...services);
});

describe('a dialect that no node asks for', () => {
  it('has no collection, no resource and no run, however much is edited', () => {
    const resources = pipeline.snapshots.size();
    for (let edit = 0; edit < 10; edit += 1) {
      expect(apply(mcpService('ns-0/tool-0', `10.0.0.${edit}`), policyOf(`user-${edit}`))).toBe(0);
    }
    expect(runs()).toEqual({});
    expect(pipeline.snapshots.of('default/one').views.has(typeUrl)).toBe(false);
    expect(pipeline.snapshots.size()).toBe(resources);
    expect(counters.total('gatehouse_wire_encodes_total', { type: typeUrl })).toBe(0);
  });
});

describe('a dialect that nodes ask for', () => {
  beforeEach(() => {
    for (let node = 0; node < 1_000; node += 1) pipeline.snapshots.request(typeUrl);
  });

  it('is encoded once, however many nodes ask', () => {
    expect(runs()).toMatchObject({
      'agentgateway/backends': 20,
      'agentgateway/listed-targets': 20,
      'agentgateway/mcp-backends': 1,
      'agentgateway/gateways': 2,
      'agentgateway/policies': 2,
    });
  });

  it('encodes the Backend of a changed address, and no list', () => {
    const before = runs();
    expect(apply(mcpService('ns-0/tool-0', '10.0.0.9'))).toBe(1);
    expect(runsSince(before)).toEqual({ 'agentgateway/backends': 1, 'agentgateway/listed-targets': 1 });
  });

  it('encodes a changed policy once for each of its Gateways', () => {
    const before = runs();
    expect(apply(policyOf('you'))).toBe(2);
    expect(runsSince(before)).toEqual({ 'agentgateway/allow-lists': 1, 'agentgateway/policies': 2 });
  });

  it('encodes the one list that all Gateways of the same namespaces share when a Service appears', () => {
    const before = runs();
    expect(apply(mcpService('ns-0/more'))).toBe(2);
    expect(runsSince(before)).toMatchObject({ 'agentgateway/backends': 1, 'agentgateway/mcp-backends': 1 });
  });

  it('encodes nothing for an edit that changes nothing of it', () => {
    const before = runs();
    expect(apply(mcpService('ns-0/tool-0').replace('metadata:', 'x-note: 1\nmetadata:'))).toBe(0);
    expect(runsSince(before)).toEqual({});
  });
});
