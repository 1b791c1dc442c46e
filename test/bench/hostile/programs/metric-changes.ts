import { send } from './http-client.ts';
import type { Trace } from './model.ts';

/** Values by name and labels, as Prometheus' text format has them. */
export type Metrics = ReadonlyMap<string, string>;

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

/** Returns whether a series of a trace has another value in `after`, or is new and not 0. */
export function hasMoved(before: Metrics, after: Metrics, { metric, labels = {} }: Trace): boolean {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...after].some(([series, value]) => {
    const name = series.replace(/\{.*/, '');
    return name === metric && wanted.every((text) => series.includes(text)) && value !== (before.get(series) ?? '0');
  });
}

/** Gauges that are back at what they were once an attack is over, and by how much honest clients move them. */
const gauges: ReadonlyMap<string, number> = new Map([
  ['process_open_fds', 8],
  ['nodejs_active_requests_total', 8],
  ['gatehouse_xds_streams', 4],
  ['gatehouse_xds_nodes', 4],
]);

/** Returns a sentence for each gauge that is higher after an attack than it was before. */
export function leftOver(before: Metrics, after: Metrics): readonly string[] {
  return [...gauges].flatMap(([name, tolerance]) => {
    const [was = 0, is = 0] = [before, after].map((metrics) => Number(metrics.get(name) ?? 0));
    return is > was + tolerance ? [`${name} is ${is} and was ${was} before the attack`] : [];
  });
}
