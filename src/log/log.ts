import { createLogger, format, type Logger as Winston } from 'winston';
import type { Fields, Logger } from '../edges.ts';
import { LogLines } from './buffered-transport.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'auto' | 'json' | 'text';

/** The program's log, on standard error. `auto`: text on a terminal, JSON elsewhere; colour only on a terminal. */
export function createLog(level: LogLevel, wanted: LogFormat, terminal: boolean, colour: boolean): Logger {
  const text = wanted === 'text' || (wanted === 'auto' && terminal);
  const winston = createLogger({
    level,
    format: format.combine(format.timestamp(), errorsAsText(), text ? readable(colour) : json()),
    transports: [new LogLines((text) => void process.stderr.write(text))],
  });
  return new FieldsLogger(winston, {});
}

/** A class, because each connected node has one for as long as it is there. */
class FieldsLogger implements Logger {
  readonly #winston: Winston;
  readonly #fields: Fields;

  constructor(winston: Winston, fields: Fields) {
    this.#winston = winston;
    this.#fields = fields;
  }

  debug(message: string, more?: Fields): void {
    this.#winston.debug(message, { ...this.#fields, ...more });
  }

  info(message: string, more?: Fields): void {
    this.#winston.info(message, { ...this.#fields, ...more });
  }

  warn(message: string, more?: Fields): void {
    this.#winston.warn(message, { ...this.#fields, ...more });
  }

  error(message: string, more?: Fields): void {
    this.#winston.error(message, { ...this.#fields, ...more });
  }

  child(more: Fields): Logger {
    return new FieldsLogger(this.#winston, { ...this.#fields, ...more });
  }
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
    for (const key in info) {
      const value = info[key];
      if (value instanceof Error) info[key] = value.message;
    }
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
