import { readFileSync } from 'node:fs';

/** The processes that this one has started and that run. */
export function startedProcesses(): readonly number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}
