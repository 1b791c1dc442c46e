/**
 * A program that starts a confined process: `files` has no open file left for it, and says how it ended; `orphan` says which
 * process it is, and waits.
 */
import { openSync } from 'node:fs';
import { type ConfinedProcess, startConfined } from '../../src/net/confined-process.ts';

const start = (onMessage: (message: unknown) => void): ConfinedProcess =>
  startConfined(new URL('./confined-entry.ts', import.meta.url), { old: 64, semiSpace: 2 }, onMessage);

function openAll(): void {
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {
    return;
  }
}

if (process.argv[2] === 'files') {
  openAll();
  const confined = start(() => undefined);
  confined.send('say what you have');
  confined.kill();
  console.log(JSON.stringify(await confined.ended));
} else {
  const confined = start((message) => console.log(JSON.stringify(message)));
  confined.send('say what you have');
  await confined.ended;
}
