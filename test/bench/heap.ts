import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Returns the bytes of live objects after three full collections: entries of weak maps are freed by a later one. */
export function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  for (let round = 0; round < 3 && typeof collect === 'function'; round += 1) collect();
  return process.memoryUsage().heapUsed;
}
