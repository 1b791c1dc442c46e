import type { Logger, LogLevel, LogLevelControl } from '../../edges.ts';
import { isJsonObject } from '../../json/json.ts';
import { RequestError } from '../routes.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The JSON of `/debug/logging`. */
export function loggingView(control: LogLevelControl): object {
  return { version: 1, level: control.level, levels };
}

/** Changes the level until the next change or restart. @throws RequestError */
export function changeLogging(control: LogLevelControl, log: Logger, body: unknown): object {
  const level = isJsonObject(body) ? levels.find((one) => one === body['level']) : undefined;
  if (level === undefined) throw new RequestError(400, `send {"level": "<level>"} with one of ${levels.join(', ')}.`);
  const before = control.level;
  control.level = level;
  if (before !== level) log.warn('the log level was changed by the debug endpoint', { from: before, to: level });
  return loggingView(control);
}
