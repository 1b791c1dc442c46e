import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { worlds } from '../../features/worlds/worlds.ts';
import { cli } from '../../support/processes/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openGateway } from '../../support/worlds/manifests.ts';

interface Report {
  readonly errors: number;
  readonly warnings: number;
  readonly diagnostics: readonly {
    readonly line: number | null;
    readonly object: string | null;
    readonly message: string;
  }[];
}

describe('check', () => {
  it.each(worlds.map((world) => ({ ...world })))('gives everything a place when $clause', async ({ files }) => {
    const folder = temporaryFolder();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const { code, stdout, stderr } = await cli(['check', '-o', 'json', folder]);
    const { errors, warnings, diagnostics }: Report = JSON.parse(stdout);
    expect(stderr).toBe('');
    expect(code).toBe(errors > 0 ? 1 : 0);
    expect(diagnostics.length).toBe(errors + warnings);
    for (const { line, object, message } of diagnostics) {
      if (object !== null) expect(line, message).not.toBeNull();
      expect(message).toMatch(/[.?]$/);
    }
  });
});

it('says that a folder has no manifest', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'world.txt'), openGateway);
  const { code, stdout, stderr } = await cli(['check', folder]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '0 Gateways, 0 targets, 0 policies; 0 errors, 0 warnings\n' });
  expect(stderr).toBe('note: 0 objects were read: of a folder, its *.yaml, *.yml and *.json count.\n');
});
