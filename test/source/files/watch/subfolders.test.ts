import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../../../support/processes/terminal.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { mcpService, openGateway } from '../../../support/worlds/manifests.ts';
import { startWorld } from '../../../support/worlds/running-world.ts';

const remedy = 'name each folder that is to be read.';

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function checked(folder: string): Promise<string> {
  return (await cli(['check', folder])).stdout.replaceAll(folder, 'FOLDER');
}

describe('a folder that is not walked', () => {
  it('is told which folders within it have manifests', async () => {
    const folder = folderOf({
      'a.yaml': openGateway,
      'team-a/one.yaml': mcpService('a/one'),
      'team-b/prod/two.json': '{\n  "apiVersion": "v1"\n}',
    });
    expect(await checked(folder)).toBe(
      `FOLDER: warning: Folders within this one are not read, and there are manifests in "team-a", "team-b/prod": ${remedy}
1 Gateway, 0 targets, 0 policies; 0 errors, 1 warning
`,
    );
    const named = await cli(['check', folder, join(folder, 'team-a')]);
    expect(named.stdout).toContain('1 Gateway, 1 target');
  });

  it.each([
    ['hidden ones, such as those of a mounted ConfigMap', '.git/a.yaml'],
    ['packages', 'node_modules/a/a.yaml'],
    ['files that are not read anyway', 'docs/a.md'],
  ])('is told nothing of %s', async (_, path) => {
    expect(await checked(folderOf({ [path]: openGateway }))).toBe(
      '0 Gateways, 0 targets, 0 policies; 0 errors, 0 warnings\n',
    );
  });

  it('is told nothing of files of other programs, nor of links', async () => {
    const folder = folderOf({ 'web/package.json': '{ "name": "web" }', 'web/compose.yaml': 'services: {}' });
    symlinkSync(folderOf({ 'a.yaml': openGateway }), join(folder, 'linked'));
    expect(await checked(folder)).toBe('0 Gateways, 0 targets, 0 policies; 0 errors, 0 warnings\n');
  });

  it('is looked at for a bounded time', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`team-${index}/a.yaml`, openGateway]));
    const [, named = '0'] = /, and (\d+) more/.exec(await checked(folderOf(many))) ?? [];
    expect(Number(named)).toBeLessThanOrEqual(100);
  });

  it('is told once in the log, and when it is over', async () => {
    await using world = await startWorld({ 'a.yaml': openGateway });
    mkdirSync(join(world.folder, 'more'));
    writeFileSync(join(world.folder, 'more/b.yaml'), mcpService('default/b'));
    await world.applied();
    await world.log.line('Folders within this one are not read');
    expect(world.log.lines.filter(({ message }) => message.includes('Folders within'))).toHaveLength(1);
    expect((await world.problems()).map(({ severity }) => severity)).toEqual(['warning']);
  });
});
