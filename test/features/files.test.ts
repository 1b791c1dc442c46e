import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mcpService, openGateway, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

const world = together(openGateway, mcpService('default/tool'));
const tool = { 'default/tool': '10.0.0.1:80' };

describe('a file that becomes unparsable', () => {
  it('keeps its last objects, and is reported, until it parses again', async () => {
    await using running = await startWorld({ 'gw.yaml': openGateway, 'tool.yaml': mcpService('default/tool') });
    const node = running.node('default/gw');
    await running.write({ 'tool.yaml': `${mcpService('default/tool', '10.0.0.2')}\nkind: [` });
    expect(await node.settled()).toMatchObject({ targets: tool });
    expect(await running.problems()).toMatchObject([
      { severity: 'error', place: expect.stringMatching(/tool\.yaml:\d+:\d+$/) },
    ]);

    await running.write({ 'tool.yaml': mcpService('default/tool', '10.0.0.2') });
    expect(await node.settled()).toMatchObject({ targets: { 'default/tool': '10.0.0.2:80' } });
    expect(await running.problems()).toEqual([]);
  });

  it('has no objects once it is deleted', async () => {
    await using running = await startWorld({ 'gw.yaml': openGateway, 'tool.yaml': mcpService('default/tool') });
    const node = running.node('default/gw');
    await running.write({ 'tool.yaml': '"' });
    await running.write({ 'tool.yaml': undefined });
    expect(await node.settled()).toMatchObject({ targets: {} });
    expect(await running.problems()).toEqual([]);
  });
});

describe('a mounted ConfigMap', () => {
  it('is followed through its symbolic links when they are swapped', async () => {
    await using running = await startWorld();
    const mount = async (version: string, text: string): Promise<void> => {
      await mkdir(join(running.folder, version));
      await writeFile(join(running.folder, version, 'world.yaml'), text);
      await symlink(version, join(running.folder, '..data_tmp'));
      await rename(join(running.folder, '..data_tmp'), join(running.folder, '..data'));
    };
    await mount('..1', world);
    await symlink('..data/world.yaml', join(running.folder, 'world.yaml'));
    await running.applied();
    const node = running.node('default/gw');
    expect(await node.settled()).toMatchObject({ targets: tool });

    await mount('..2', world.replace('10.0.0.1', '10.0.0.2'));
    await running.applied();
    expect(await node.settled()).toMatchObject({ targets: { 'default/tool': '10.0.0.2:80' } });
  });
});

describe('while a folder does not exist', () => {
  it('no node is served, and each gets UNAVAILABLE', async () => {
    await using running = await startWorld({ 'world.yaml': world }, { filenames: ['FOLDER', 'FOLDER/later'] });
    const later = join(running.folder, 'later');
    const early = running.node('default/gw');
    expect(await early.ended()).toMatchObject({ code: 'UNAVAILABLE' });
    expect(early.responses).toBe(0);
    expect(await running.get('metrics', '/readyz')).toMatchObject({ status: 503 });
    expect(await running.get('metrics', '/healthz')).toMatchObject({ status: 200 });
    expect(await running.problems()).toMatchObject([
      { severity: 'error', place: later, message: expect.stringMatching(/does not exist.*nothing is served until/) },
    ]);

    await mkdir(later);
    await running.log.line('synced');
    expect(await running.get('metrics', '/readyz')).toMatchObject({ status: 200 });
    expect(await running.problems()).toEqual([]);
    expect(await running.node('default/gw').settled()).toMatchObject({ targets: tool });
  });

  it('and did so before, its last objects stay', async () => {
    await using running = await startWorld({}, { filenames: ['FOLDER', 'FOLDER/later'] });
    const later = join(running.folder, 'later');
    await mkdir(later);
    await writeFile(join(later, 'world.yaml'), world);
    await running.log.line('synced');
    await running.applied();
    const node = running.node('default/gw');
    await rename(later, join(running.folder, 'elsewhere'));
    await running.applied();
    await running.log.line('what it held stays');
    expect(await node.settled()).toMatchObject({ targets: tool });
    expect(await running.get('metrics', '/readyz')).toMatchObject({ status: 200 });

    await mkdir(later);
    await running.applied();
    expect(await node.settled()).toMatchObject({ targets: {} });
  });
});

describe('several roots', () => {
  it('take precedence in the order of -f, and only objects of the selected namespaces count', async () => {
    const settings = { filenames: ['FOLDER/z.yaml', 'FOLDER'], namespaces: ['default'] };
    const files = {
      'z.yaml': mcpService('default/tool'),
      'a.yaml': mcpService('default/tool', '10.0.0.2'),
      'gw.yaml': together(openGateway, mcpService('red/tool')),
    };
    await using running = await startWorld(files, settings);
    expect(await running.node('default/gw').settled()).toMatchObject({ targets: tool });
    const problems = await running.problems();
    expect(problems).toMatchObject([
      {
        place: expect.stringMatching(/a\.yaml:2:1$/),
        message: expect.stringMatching(/already defined at .*z\.yaml:2:1/),
      },
    ]);
  });
});
