import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save } from '../file-rig.ts';
import { serviceText } from '../manifests.ts';
import { type ScanRig, scannersOf } from './scan-rig.ts';

describe('many files that are gone, or have no room any more', () => {
  const names = Array.from({ length: 60 }, (_, at) => `m${100 + at}`);
  /** What a scan would deliver in each turn of the event loop until the work is done. */
  const during = async (rig: ScanRig, work: Promise<unknown>): Promise<readonly (readonly string[])[]> => {
    const seen = [rig.services()];
    let isDone = false;
    void work.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise(setImmediate);
      rig.deliver();
      if (rig.services().length !== seen.at(-1)?.length) seen.push(rig.services());
    }
    return seen;
  };
  const started = async (): Promise<{ readonly rig: ScanRig; readonly folder: string }> => {
    const folder = temporaryFolder();
    for (const name of names) save(folder, `${name}.yaml`, serviceText(name));
    const rig = scannersOf([folder], { bytes: 1_000_000, files: names.length });
    await rig.scan();
    expect(rig.services()).toHaveLength(names.length);
    rig.hurry();
    return { rig, folder };
  };

  it('are deleted in turns when events name them', async () => {
    const { rig, folder } = await started();
    const gone = names.slice(0, 8).map((name) => `${name}.yaml`);
    for (const name of gone) unlinkSync(join(folder, name));
    const seen = await during(rig, rig.scan(new Set(gone)));
    // Five steps take the milliseconds of a turn.
    expect(seen.map(({ length }) => length)).toEqual([60, 55, 52]);
  });

  it('are deleted in turns, the last one first, so that none counts behind one that does not', async () => {
    const { rig, folder } = await started();
    for (let at = 100; at < 150; at += 1) save(folder, `a${at}.yaml`, '');
    const seen = await during(rig, rig.check());
    expect(seen.length).toBeGreaterThan(8);
    const all = names.map((name) => `Service default/${name}`);
    for (const services of seen) expect(services).toEqual(all.slice(0, services.length));
    expect(seen.at(-1)).toHaveLength(11);
    expect(rig.deliver().unlisted).toBe('unknown');
  });

  it('are left out in turns', async () => {
    const { rig, folder } = await started();
    const seen = async (): Promise<number> => (await during(rig, rig.scan(new Set(['a.yaml'])))).length;
    save(folder, 'a.yaml', ''.padEnd(1_000_000, '#'));
    expect(await seen()).toBeGreaterThan(8);
    expect(rig.services()).toEqual([]);
  });
});
