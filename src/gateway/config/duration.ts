import { configError, fieldsOf } from './fields.ts';

/**
 * Reads a length of time as milliseconds, in any of the spellings that configuration files of deployed gateways use: a
 * number of seconds, a number with a unit (`500ms`, `10s`, `5m`, `1h`), or `{"secs": 10, "nanos": 0}`.
 *
 * @throws GatewayError when it is none of these, is not positive, or is longer than a day
 */
export function durationOf(json: unknown, place: string): number {
  const milliseconds = millisecondsOf(json, place);
  if (milliseconds === undefined || milliseconds < 1 || milliseconds > 86_400_000) {
    throw configError(
      place,
      'must be a length of time from 1ms to 24h: write "10s", "500ms", "5m" or a number of seconds',
    );
  }
  return milliseconds;
}

function millisecondsOf(json: unknown, place: string): number | undefined {
  if (typeof json === 'number') return json * 1000;
  if (typeof json === 'string') {
    const { amount, unit } = /^(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)$/.exec(json)?.groups ?? {};
    return unit === undefined ? undefined : Number(amount) * (units.get(unit) ?? Number.NaN);
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const fields = fieldsOf(json, place);
  fields.only(['secs', 'nanos']);
  const nanos = fields.value('nanos') === undefined ? 0 : fields.integer('nanos', 0, 999_999_999);
  return fields.integer('secs', 0, 86_400) * 1000 + nanos / 1_000_000;
}

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
