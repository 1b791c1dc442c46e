/**
 * Returns how many files and sockets this process may have open (`ulimit -n`); infinite where Node does not know it. A
 * program that reaches it can neither accept nor open connections, and nothing tells it.
 */
export function maxOpenFiles(): number {
  openFiles ??= readLimit();
  return openFiles;
}

let openFiles: number | undefined;

function readLimit(): number {
  const { report } = process;
  const excludesNetwork = member(report, 'excludeNetwork') === true;
  // Names of the machine's network would be looked up otherwise.
  Reflect.set(report, 'excludeNetwork', true);
  const soft = member(member(member(report.getReport(), 'userLimits'), 'open_files'), 'soft');
  Reflect.set(report, 'excludeNetwork', excludesNetwork);
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
