import { createLogger, format, transports } from 'winston';
import type { Fields, Logger } from './edges.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'auto' | 'json' | 'text';

/** The program's log, on standard error. `auto`: text on a terminal, JSON elsewhere; colour only on a terminal. */
export function createLog(level: LogLevel, wanted: LogFormat, terminal: boolean, colour: boolean): Logger {
  const text = wanted === 'text' || (wanted === 'auto' && terminal);
  const winston = createLogger({
    level,
    format: format.combine(format.timestamp(), errorsAsText(), text ? readable(colour) : json()),
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

/** One JSON object per line; time, level and message first, for people read these lines, too. */
function json(): ReturnType<typeof format.printf> {
  return format.printf(({ timestamp, level, message, ...fields }) =>
    printable(JSON.stringify({ timestamp, level, message, ...fields })),
  );
}

const colours: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

/** Time of day, level, message, and the fields as key=value; what says nothing is left out. */
function readable(colour: boolean): ReturnType<typeof format.printf> {
  return format.printf(({ timestamp, level, message, ...fields }) => {
    const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
    const shown = known.map(([key, value]) => `${key}=${plain(value)}`);
    const word = colour ? `${colours[level] ?? ''}${level.padEnd(5)}\u001b[0m` : level.padEnd(5);
    return [String(timestamp).slice(11, 23), word, printable(String(message)), ...shown].join(' ');
  });
}

/** JSON knows no errors: their message would be lost. */
function errorsAsText(): ReturnType<ReturnType<typeof format>> {
  return format((info) => {
    for (const [key, value] of Object.entries(info)) if (value instanceof Error) info[key] = value.message;
    return info;
  })();
}

function plain(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value) ?? 'undefined');
  return printable(/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
}

/** Names come from whoever connects: what would steer the terminal, or begin a line of its own, is spelled out. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
