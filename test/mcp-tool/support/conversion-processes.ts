import { readdirSync, readFileSync } from 'node:fs';

/** The processes that convert documents for this one, by their ids. */
export function conversionProcesses(): readonly number[] {
  const children = readdirSync('/proc/self/task').flatMap((thread) =>
    textOf(`/proc/self/task/${thread}/children`).split(' ').filter(Boolean),
  );
  return children.filter((id) => textOf(`/proc/${id}/cmdline`).includes('conversion-process')).map(Number);
}

/** Empty for a thread or a process that has ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
