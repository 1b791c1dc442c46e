import { describe, expect, it } from 'vitest';
import { createPipeline } from '../../src/app/pipeline.ts';
import { statusLog } from '../../src/app/status-log.ts';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../src/source/files/manifest-store.ts';
import type { Batch } from '../../src/source/model.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import {
  mcpClass,
  mcpGateway,
  mcpService,
  openGateway,
  policy,
  policyWith,
  serviceWith,
  together,
} from '../support/worlds/manifests.ts';
import { defaultSettings } from '../support/worlds/translated-world.ts';

/** The lines of each commit, `<level> <message> <object or target>`; `undefined` deletes a file. */
function createRig(
  clock = createManualClock(),
): (files: Readonly<Record<string, string | undefined>>) => readonly string[] {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const store = new ManifestStore({ roots: ['folder'], log, counters });
  const pipeline = createPipeline(defaultSettings, { log, counters });
  const logStatuses = statusLog(log, pipeline.translation, clock);
  store.rootFound(0);
  return (files) => {
    for (const [name, text] of Object.entries(files)) {
      const path = `folder/${name}`;
      const file = { root: 0, name, path, realPath: path };
      if (text === undefined) store.deleteFile(file);
      else store.setFile(file, parseManifest(text, []));
    }
    const batch = store.takeBatch();
    if (batch === undefined) return [];
    const { commit } = pipeline.deliver(batch);
    const before = log.lines.length;
    logStatuses(commit, batch);
    return log.lines
      .slice(before)
      .map(
        ({ level, message, fields }) => `${level} ${message} ${fields['object'] ?? fields['target'] ?? fields['more']}`,
      );
  };
}

const accepted = (object: string): string => `info accepted ${object}`;

describe('the log of what a commit means', () => {
  it('says once that an object is accepted, whatever arrives beside it', () => {
    const commit = createRig();
    expect(commit({ 'a.yaml': openGateway })).toEqual([accepted('GatewayClass mcp'), accepted('Gateway default/gw')]);
    expect(commit({ 'b.yaml': policy('default/p', 'gw') })).toEqual([accepted('MCPAuthPolicy default/p')]);
    expect(commit({ 'b.yaml': policy('default/p', 'gw', 'you') })).toEqual([accepted('MCPAuthPolicy default/p')]);
    expect(commit({ 'b.yaml': policy('default/p', 'gv') })).toEqual([
      'warn not accepted as written MCPAuthPolicy default/p',
    ]);
    expect(commit({ 'c.yaml': together(mcpGateway('default/gv')) })).toEqual([
      accepted('Gateway default/gv'),
      accepted('MCPAuthPolicy default/p'),
    ]);
  });

  it('says what is deleted, and which targets come and go', () => {
    const commit = createRig();
    const tools = together(mcpService('default/tool'), mcpService('default/other'));
    commit({ 'a.yaml': openGateway, 'b.yaml': policy('default/p', 'gw') });
    expect(commit({ 'c.yaml': tools })).toEqual([
      'info a target appears default/tool',
      'info a target appears default/other',
    ]);
    expect(commit({ 'c.yaml': mcpService('default/tool', '10.0.0.2') })).toEqual([
      'info a target is gone default/other',
    ]);
    expect(commit({ 'b.yaml': undefined, 'c.yaml': undefined })).toEqual([
      'info deleted MCPAuthPolicy default/p',
      'info a target is gone default/tool',
    ]);
    expect(commit({ 'a.yaml': mcpClass })).toEqual(['info deleted Gateway default/gw']);
    expect(commit({ 'a.yaml': mcpClass.replace('kgateway.dev/kgateway', 'example.com/it') })).toEqual([
      'info no longer of this controller GatewayClass mcp',
    ]);
  });

  it('says that objects are deleted of which nothing was accepted, and nothing of those of others', () => {
    const commit = createRig();
    const unwritable = policyWith('default/p', '[{ nmae: gw }]', '[]');
    const broken = serviceWith(
      'default/tool',
      '{ clusterIP: nonsense, ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }',
    );
    const other = serviceWith('default/other', '{ ports: [{ port: 80 }] }');
    expect(commit({ 'a.yaml': together(unwritable, broken, other) })).toEqual([
      'warn references that no status can name MCPAuthPolicy default/p',
      'warn dropped Service default/tool',
    ]);
    expect(commit({ 'a.yaml': undefined })).toEqual([
      'info deleted MCPAuthPolicy default/p',
      'info deleted Service default/tool',
    ]);
  });
});

describe('the log of one commit', () => {
  it('has twenty lines at each level, and counts the others', () => {
    const commit = createRig();
    const many = (count: number, gateway: string): readonly string[] =>
      Array.from({ length: count }, (_, index) => policy(`default/${gateway}-${index}`, gateway));
    const lines = commit({ 'a.yaml': together(openGateway, ...many(68, 'gw'), ...many(23, 'gone')) });
    expect(lines).toHaveLength(42);
    expect(lines.slice(-2)).toEqual([
      'warn more objects are not accepted as written: /debug/problems lists them 3',
      'info more objects and targets are as they should be, or gone 50',
    ]);
    const deleted = commit({ 'a.yaml': openGateway });
    expect(deleted).toHaveLength(21);
    expect(deleted.at(-1)).toBe('info more objects and targets are as they should be, or gone 71');
  });

  it('is a part of sixty lines about many changes, and of one in a second, which counts what is left out', () => {
    const clock = createManualClock();
    const commit = createRig(clock);
    const services = together(...Array.from({ length: 20 }, (_, index) => mcpService(`default/t-${index}`)));
    const lines = Array.from({ length: 20 }, (_, time) => commit({ 'a.yaml': time % 2 === 0 ? services : undefined }));
    expect(lines.flat()).toHaveLength(60);
    expect(lines.flat().at(-1)).toBe('info more objects and targets are as they should be, or gone 1');
    clock.advance(1_000);
    const rest = 17 * 20;
    expect(commit({ 'a.yaml': services })).toEqual([
      `info more objects and targets are as they should be, or gone ${rest + 20}`,
    ]);
    clock.advance(2_000);
    expect(commit({ 'b.yaml': mcpService('default/new') })).toEqual(['info a target appears default/new']);
  });

  it('is that of a change of several commits as well', () => {
    const [log, counters] = [createRecordedLog(), createRecordedCounters()];
    const pipeline = createPipeline(defaultSettings, { log, counters });
    const logStatuses = statusLog(log, pipeline.translation, createManualClock());
    for (let part = 0; part < 3; part += 1) {
      const text = together(...Array.from({ length: 15 }, (_, at) => mcpService(`default/t-${part}-${at}`)));
      const store = new ManifestStore({ roots: ['folder'], log, counters });
      store.rootFound(0);
      store.setFile({ root: 0, name: 'a', path: 'folder/a', realPath: 'folder/a' }, parseManifest(text, []));
      const batch: Batch = { changes: store.takeBatch()?.changes ?? [], more: part < 2, synced: true };
      logStatuses(pipeline.deliver(batch).commit, batch);
    }
    expect(log.lines).toHaveLength(21);
    expect(log.lines.at(-1)).toMatchObject({ fields: { more: 25 } });
  });
});
