import { symlinkSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { save, startFiles } from './file-rig.ts';
import { broken, serviceText } from './manifests.ts';

describe('an invalid file', () => {
  it('keeps its objects until it is complete', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a', 1));
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', `${serviceText('a', 2)}---\n${broken}`);
    await files.log.line('What the file held before stays');
    expect(files.port('default/a')).toBe(1);
    save(folder, 'a.yaml', serviceText('a', 2));
    await files.until(() => files.port('default/a') === 2);
    expect(files.problems()).toEqual([]);
  });

  it('loses its objects when it is deleted', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', broken);
    await files.log.line('What the file held before stays');
    unlinkSync(join(folder, 'a.yaml'));
    await files.until(() => files.resources.size === 0);
    expect(files.problems()).toEqual([]);
  });

  it('that was never valid affects selectors only', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', broken);
    save(folder, 'b.yaml', serviceText('b'));
    const files = await startFiles([folder]);
    expect(files).toMatchObject({ synced: true, unlisted: 'unknown' });
    save(folder, 'a.yaml', '');
    await files.until(() => files.unlisted === 'named');
  });
});

describe('an unreadable file', () => {
  it.each<[string, string | Buffer, string]>([
    ['is too large', Buffer.alloc(5 * 1024 * 1024 + 1, '#'), 'has 5242881 bytes, more than 5242880 (5 MiB): split it'],
    ['is no UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff]), 'is not UTF-8'],
    ['is UTF-16', Buffer.from(`\uFEFF${serviceText('a')}`, 'utf16le'), 'is not UTF-8'],
  ])('has an error that it %s', async (_, content, reason) => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', content);
    await files.log.line(reason);
    expect(files.problems()).toEqual([expect.stringContaining(`${join(folder, 'a.yaml')} The file ${reason}`)]);
    expect(files.port('default/a')).toBe(80);
    save(folder, 'a.yaml', serviceText('a', 81));
    await files.until(() => files.port('default/a') === 81);
    expect(files.problems()).toEqual([]);
  });

  it('has an error with the code of the operating system', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    const files = await startFiles([folder]);
    unlinkSync(join(folder, 'a.yaml'));
    symlinkSync('a.yaml', join(folder, 'a.yaml'));
    await files.log.line('The file cannot be read (ELOOP)');
    expect(files.port('default/a')).toBe(80);
    unlinkSync(join(folder, 'a.yaml'));
    await files.until(() => files.resources.size === 0);
  });

  it('is none at exactly the maximum size', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a').padEnd(5 * 1024 * 1024, '# '));
    const files = await startFiles([folder]);
    await files.until(() => files.port('default/a') === 80);
  });

  it('is not even read when it is many times as large', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', '');
    truncateSync(join(folder, 'a.yaml'), 3 * 1024 ** 3);
    const files = await startFiles([folder]);
    expect(files.problems()).toEqual([expect.stringContaining('has 3221225472 bytes, more than 5242880')]);
  });
});
