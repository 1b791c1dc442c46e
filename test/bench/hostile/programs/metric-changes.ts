import { send } from './http-client.ts';

/** Values by name and labels, as Prometheus' text format has them. */
type Metrics = ReadonlyMap<string, string>;

/** Reads `/metrics`; empty when there is no such page, or no answer. */
export async function readMetrics(port: number): Promise<Metrics> {
  try {
    const { status, text } = await send({ port, path: '/metrics' });
    const lines = status === 200 ? text.split('\n').filter((line) => line !== '' && !line.startsWith('#')) : [];
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]));
  } catch {
    return new Map();
  }
}

/** Returns the names, without labels, of the metrics of ours that have another value in `after`. */
export function changedMetrics(before: Metrics, after: Metrics): readonly string[] {
  const changed = [...after].filter(([name, value]) => before.get(name) !== value).map(([name]) => name);
  const names = changed.map((name) => name.replace(/\{.*/, '')).filter((name) => name.startsWith('gatehouse_'));
  return [...new Set(names)];
}
