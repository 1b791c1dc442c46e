import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fileOutput, streamOutput } from '../../src/log/log-output.ts';

it('a stream keeps no more than a MiB that nobody reads', () => {
  const stream = {
    writableLength: 0,
    write(text: string): void {
      stream.writableLength += text.length;
    },
    once: () => {},
  };
  const output = streamOutput(stream);
  const line = `${'x'.repeat(1023)}\n`;
  let kept = 0;
  for (let offered = 0; offered < 5000; offered += 1) if (output.write(line)) kept += 1;
  expect(kept).toBe(1025);
  stream.writableLength = 0;
  expect(output.write(line)).toBe(true);
});

it('a full disk loses lines, and a file that has room again gets the next ones', () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  expect(fileOutput(full).write('lost\n')).toBe(false);

  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = openSync(join(folder, 'log'), 'a');
  onTestFinished(() => closeSync(file));
  const output = fileOutput(file);
  expect(output.write('first\n')).toBe(true);
  // As logrotate's copytruncate does.
  ftruncateSync(file);
  let isTold = false;
  output.whenRoom(() => {
    isTold = true;
  });
  expect(output.write('second\n')).toBe(true);
  expect(isTold).toBe(true);
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('second\n');
});
