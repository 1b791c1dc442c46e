import { createLogger, format, transports } from 'winston';
import type { Fields, Logger } from './edges.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'auto' | 'json' | 'text';

/** The program's log, on standard error. `auto`: text on a terminal, JSON elsewhere; colour only on a terminal. */
export function createLog(level: LogLevel, wanted: LogFormat, terminal: boolean, colour: boolean): Logger {
  const text = wanted === 'text' || (wanted === 'auto' && terminal);
  const winston = createLogger({
    level,
    format: text ? readable(colour) : format.combine(format.timestamp(), errorsAsText(), format.json()),
    transports: [new transports.Console({ stderrLevels: ['debug', 'info', 'warn', 'error'] })],
  });
  const at = (fields: Fields): Logger => ({
    debug: (message, more) => void winston.debug(message, { ...fields, ...more }),
    info: (message, more) => void winston.info(message, { ...fields, ...more }),
    warn: (message, more) => void winston.warn(message, { ...fields, ...more }),
    error: (message, more) => void winston.error(message, { ...fields, ...more }),
    child: (more) => at({ ...fields, ...more }),
  });
  return at({});
}

function readable(colour: boolean): ReturnType<typeof format.combine> {
  const line = format.printf(({ timestamp, level, message, ...fields }) => {
    const shown = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`);
    return [String(timestamp), level.padEnd(colour ? 15 : 5), message, ...shown].join(' ');
  });
  const stamped = [format.timestamp({ format: 'HH:mm:ss.SSS' }), errorsAsText()];
  return colour ? format.combine(...stamped, format.colorize(), line) : format.combine(...stamped, line);
}

/** JSON knows no errors: their message would be lost. */
function errorsAsText(): ReturnType<ReturnType<typeof format>> {
  return format((info) => {
    for (const [key, value] of Object.entries(info)) if (value instanceof Error) info[key] = value.message;
    return info;
  })();
}

function plain(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
